# June in a container: `docker build -t june .`, then run it with the three variables of LiveKit.
#
#   FLAVOUR  `run` (default): what she hears, thinks and speaks with is a provider's
#            `local`: speech of her own as well, on this machine and without a key
#
# The steps of the first stage use no absolute path, so that a test can do them in any folder.

FROM python:3.11-slim-bookworm AS build

ARG FLAVOUR=run
# The one that ./june installs with.
ARG UV_VERSION=0.13.9

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never

WORKDIR /june

RUN python -m pip install --quiet --no-deps --target ".tools/uv-${UV_VERSION}" "uv==${UV_VERSION}"

# The lock alone, before the code: a change of code does not install everything again.
COPY requirements/${FLAVOUR}.lock june.lock
# Compiled here, because the user that June runs as may not write beside the code.
RUN ".tools/uv-${UV_VERSION}/bin/uv" venv --quiet --no-project --python python .venv \
    && ".tools/uv-${UV_VERSION}/bin/uv" pip install --quiet --compile-bytecode --python .venv/bin/python \
        --no-deps --require-hashes -r june.lock

COPY agent agent
COPY session session
COPY skills skills
# Readable for that user, even if the checkout was made with a strict umask.
RUN chmod -R a+rX agent session skills && python -m compileall -q agent session skills

# What June's page needs, from npm: with a Node that is fetched for it and deleted again.
COPY requirements/node.lock requirements/node.lock
RUN PYTHONPATH=. .venv/bin/python -P -m agent page \
    && rm -r ".tools/uv-${UV_VERSION}" \
    && chmod -R a+rX .tools


# Nothing comes from apt: beside what the wheels bring, they want libc, libgcc, libstdc++ and zlib,
# which this image has, like the certificates of the authorities that providers are known by.
FROM python:3.11-slim-bookworm

# A number, because only from a number can Kubernetes tell that a user is not root.
RUN useradd --no-log-init --uid 10001 --user-group --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin june \
    && install -d -o june -g june -m 0700 /data /run/june-metrics

# Where an `agent.toml` is found, if one is mounted here.
WORKDIR /june

COPY LICENSE ./
COPY --from=build /june/.venv .venv
COPY --from=build /june/agent agent
COPY --from=build /june/session session
COPY --from=build /june/skills skills
COPY --from=build /june/.tools .tools

# PROMETHEUS_MULTIPROC_DIR: where the processes of calls count. LiveKit empties a part of that folder
# at each start, so it is this container's own and not in the volume.
# ORT_DISABLE_TELEMETRY: onnxruntime would gather events about this machine for its makers.
ENV JUNE_DATA__DIR=/data \
    JUNE_WORKER__HEALTH_PORT=8081 \
    ORT_DISABLE_TELEMETRY=1 \
    PATH=/june/.venv/bin:$PATH \
    PROMETHEUS_MULTIPROC_DIR=/run/june-metrics \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/june

USER 10001:10001
VOLUME /data

# LiveKit's own answer: 503 once the worker has given up connecting, but 200 while it still tries and
# while it drains. It is silent until June has her sentences as sound, which the first start makes.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import http.client, os, sys; \
june = http.client.HTTPConnection('127.0.0.1', int(os.environ['JUNE_WORKER__HEALTH_PORT']), timeout=4); \
june.request('GET', '/'); \
sys.exit(june.getresponse().status != 200)"]

# SIGTERM drains: calls may go on for `[worker] drain_seconds` (600 s), and then get a goodbye. Without
# `docker run --stop-timeout 720` they are killed after 10 s. No shell may stand in the signal's way.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-P", "-m", "agent"]
CMD ["start"]
