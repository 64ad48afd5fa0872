"""June in a terminal or a pipe: the same call as in a room, typed."""

import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from agent.lines import ENGLISH
from agent.models import brain

ROOT = Path(__file__).parent.parent

ABSENT = """
import sys
sys.modules["sounddevice"] = None
sys.modules["moonshine_voice"] = None
sys.modules["piper"] = None
"""
"""A `sitecustomize` for a machine without PortAudio and without local speech."""


def start(folder: Path, *words: str, **environment: str) -> "subprocess.Popen[bytes]":
    """The console as `./june` starts it, in this environment and no other."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "agent", "console", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "JUNE_DATA__DIR": str(folder / "data"),
            **environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def typed(folder: Path, lines: bytes, *words: str, **environment: str) -> tuple[str, str, int]:
    """What is written, what is complained about, and the exit code."""
    (folder / "data").mkdir(exist_ok=True)
    june = start(folder, "--text", *words, **environment)
    written, complaints = june.communicate(lines, timeout=60)
    return written.decode(), complaints.decode(), june.returncode


CAN = (
    "I can tell the time, set timers, keep notes, tell stories, and translate. "
    "For anything else I need a language model."
)


def answers(written: str) -> dict[str, str]:
    """What June said after each line that was typed."""
    turns = written.split("you:  ")[1:]
    asked = (turn.partition("\n") for turn in turns)
    return {
        line: " ".join(re.findall(r"^june: (.*)$", rest, re.MULTILINE)) for line, _, rest in asked
    }


def test_every_question_that_june_can_answer_alone_is_answered_in_a_pipe(tmp_path: Path) -> None:
    """With no key, no network, no sound library and no speech models; `bye` ends it."""
    (tmp_path / "sitecustomize.py").write_text(ABSENT)
    expected = {
        "hello": brain.GREETING,
        "Who are you?": brain.WHO,
        "Are you a robot?": brain.WHO,
        "What can you do?": CAN,
        "My dog is green.": brain.UNKNOWN,
        "What did I just say?": "You said: My dog is green.",
        "Do you remember me?": "Yes. You said: What did I just say?",
        "Say that again.": "Yes. You said: What did I just say?",
        "How do I connect a language model?": brain.CONNECT,
        "Never mind.": brain.QUIET,
        "Thank you!": brain.THANKED,
        "What is six times seven?": brain.UNKNOWN,
    }
    lines = [*expected, "What time is it?", "What day is it?", "bye", "never read"]
    written, complaints, code = typed(
        tmp_path, "\n".join(lines).encode(), PYTHONPATH=f"{tmp_path}:{ROOT}"
    )
    said = answers(written)
    assert (code, complaints) == (0, "")
    assert written.startswith(f"june: {ENGLISH.greeting}\n")
    assert {line: said[line] for line in expected} == expected
    assert re.fullmatch(r"It's \d?\d:\d\d [ap]\.m\.", said["What time is it?"])
    assert str(datetime.now().astimezone().year) in said["What day is it?"]
    assert "oodbye" in said["bye"]
    assert "never read" not in written


def test_whatever_is_typed_june_goes_on(tmp_path: Path) -> None:
    """Bytes that are no text, terminal codes, a book, an end without a newline, an old terminal."""
    lines = b"\xff\xfe\x1b[2J\x07\r\n\n   \n" + b"a" * 100_000 + b"\nwhat is your name\nbye"
    written, complaints, code = typed(tmp_path, lines, "-v", PYTHONIOENCODING="ascii")
    assert code == 0
    assert r"\ufffd\ufffd\x1b[2J\x07" in written
    assert "\x1b" not in written
    assert ENGLISH.input_too_long in written
    assert answers(written)["what is your name"] == brain.WHO
    # With `-v` also tools and timings, and on its own stream the log.
    assert re.search(r"^ +first token \d+ ms$", written, re.MULTILINE)
    assert re.search(r"^ +tool end_call\({}\): done$", written, re.MULTILINE)
    assert '"call.ended"' in complaints
    assert "Traceback" not in complaints


def test_who_reads_along_may_stop(tmp_path: Path) -> None:
    """`| head -1`: the call ends without a word about it."""
    (tmp_path / "data").mkdir()
    june = start(tmp_path, "--text")
    assert june.stdin is not None
    assert june.stdout is not None
    assert june.stdout.readline().decode().startswith("june: ")
    june.stdout.close()
    june.stdin.write(b"hello\nhello\nhello\n")
    june.stdin.flush()
    assert june.wait(30) == 1
    assert june.stderr is not None
    assert june.stderr.read() == b""
    june.stdin.close()
    june.stderr.close()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--text", "--wav", "a.wav"), "`--text` and `--wav` are two ways to talk"),
        (("--fast",), "`--fast` needs a recording to play"),
        (("--out", "b.wav"), "`--out` needs a recording to play"),
        (("--text", "--out", "b.wav"), "`--out` needs a recording to play"),
        (("--text", "--input-device", "1"), "are for a call by microphone"),
        (("--wav", "a.wav", "--out", "./a.wav"), "`--wav` and `--out` are the same file"),
        (("--wav", "none.wav"), "`none.wav` does not exist"),
    ],
)
def test_words_that_do_not_fit_together_are_refused_at_once(
    tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    """With what to type instead; nothing is loaded or written."""
    (tmp_path / "a.wav").write_bytes(b"a question")
    june = start(tmp_path, *words)
    _, complaints = june.communicate(timeout=30)
    assert june.returncode == 2
    assert complaints.decode().startswith("error: ")
    assert complaint in complaints.decode()
    assert "\nhint: " in complaints.decode()
    assert "Traceback" not in complaints.decode()
    assert (tmp_path / "a.wav").read_bytes() == b"a question"
