"""The speaker encoder in numpy gives what Resemblyzer gives, and reads nothing but numbers."""

import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray

from agent.voices import embedding
from agent.voices.embedding import embed, windows
from agent.voices.mel import BANDS, HOP, RATE, mel_spectrogram
from agent.voices.weights import WeightsUnreadable, read, speaker_encoder
from skills.sound import Sound


def hum(seconds: float = 3.0, level: float = 500) -> NDArray[np.int16]:
    """Harmonics of a moving pitch in syllables: nobody's voice, the same at every run.

    Half of it is silence, so that there is no noise to take away.
    """
    t = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 1.5 * t)) / RATE
    harmonics = np.sum([np.sin(k * phase) / k for k in range(1, 20)], axis=0)
    return np.asarray(
        np.round(harmonics * np.maximum(0, np.sin(4 * np.pi * t)) ** 2 * level), "<i2"
    )


def sound(samples: NDArray[np.int16], rate: int = RATE) -> Sound:
    return Sound(samples.tobytes(), rate)


RESEMBLYZER_SAYS = [
    *(0.1157, 0.0929, 0.0116, 0.0, 0.1612, 0.0, 0.0163, 0.0),
    *(0.0, 0.0216, 0.0038, 0.0595, 0.0, 0.0, 0.0239, 0.1028),
]
"""Every 16th number of `hum()` by Resemblyzer 0.1.4 with torch and librosa 0.11, to four places:
its `normalize_volume` to -30 dBFS, then `embed_utterance`."""


def test_a_voice_is_embedded_as_resemblyzer_does() -> None:
    assert embed(sound(hum()))[::16] == pytest.approx(RESEMBLYZER_SAYS, abs=2e-4)


def test_an_embedding_is_a_point_on_the_sphere() -> None:
    found = embed(sound(hum()))
    assert found.shape == (256,)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert found.min() == 0


@pytest.mark.parametrize(("seconds", "count"), [(0.1, 1), (1.6, 1), (3.0, 3), (4.0, 4), (15, 18)])
def test_windows_cover_the_sound(seconds: float, count: int) -> None:
    """One each 0.77 s; the last one only if it is three quarters full, and at least one."""
    found = windows(sound(hum(seconds)))
    assert found.shape == (count, 256)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_windows_are_what_the_embedding_is_the_mean_of() -> None:
    voice = sound(hum())
    mean = windows(voice).mean(axis=0)
    assert embed(voice) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_a_window_does_not_depend_on_the_others() -> None:
    """They go through the network together, and must not mix."""
    voice = hum(6.0)
    first = windows(sound(voice[: int(1.6 * RATE)]))[0]
    assert float(windows(sound(voice))[0] @ first) > 0.99


@pytest.mark.parametrize("level", [50, 5000])
def test_how_loud_it_is_does_not_matter(level: float) -> None:
    assert float(embed(sound(hum())) @ embed(sound(hum(level=level)))) > 0.99


def test_steady_noise_is_taken_away() -> None:
    """20 dB below the voice: without that the cosine is 0.83."""
    voice = hum(6.0)
    noise = np.random.default_rng(1).normal(0, voice.std() / 10, len(voice))
    noisy = np.asarray(np.round(voice + noise), "<i2")
    alike = float(embed(sound(voice)) @ embed(sound(noisy)))
    print(f"cosine of a voice without and with noise: {alike:.3f}")
    assert alike > 0.9


@pytest.mark.parametrize("rate", [24_000, 48_000])
def test_any_rate_is_heard_alike(rate: int) -> None:
    resampler = rtc.AudioResampler(RATE, rate, quality=rtc.AudioResamplerQuality.HIGH)
    voice = hum()
    frame = rtc.AudioFrame(voice.tobytes(), RATE, 1, len(voice))
    pcm = b"".join(bytes(f.data.cast("b")) for f in [*resampler.push(frame), *resampler.flush()])
    assert float(embed(Sound(pcm, rate)) @ embed(sound(voice))) > 0.99


def test_silence_is_embedded_without_a_warning() -> None:
    """It is nobody; what matters is that no division by zero ends the call."""
    assert np.isfinite(embed(sound(np.zeros(4 * RATE, "<i2")))).all()


def test_no_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="no sound"):
        embed(Sound(b"", RATE))


def test_ten_seconds_take_less_than_one() -> None:
    """CPU time of this thread, so that a busy machine does not decide it."""
    voice = sound(hum(10.0))
    embed(voice)
    begin, begin_cpu = time.perf_counter(), time.thread_time()
    embed(voice)
    took, cpu = time.perf_counter() - begin, time.thread_time() - begin_cpu
    print(f"10 s of sound embedded in {took:.3f} s, {cpu:.3f} s of CPU")
    assert cpu < 1


def test_the_weights_are_read_once_and_not_before_they_are_needed() -> None:
    embedding._encoder.cache_clear()
    embed(sound(hum(1.6)))
    embed(sound(hum(1.6)))
    assert embedding._encoder.cache_info().misses == 1


def test_a_tone_is_loudest_in_its_band() -> None:
    """The bands' peaks are evenly spaced in mel: 440 Hz is in the sixth, 4 kHz in the 32nd."""
    t = np.arange(RATE) / RATE
    for hz, band in ((440, 5), (4000, 31)):
        mel = mel_spectrogram(np.sin(2 * np.pi * hz * t).astype(np.float32))
        assert mel.shape == (1 + RATE // HOP, BANDS)
        assert set(mel[5:-5].argmax(axis=1)) == {band}


def test_all_of_the_encoder_is_in_the_wheel() -> None:
    tensors = speaker_encoder()
    assert tensors["lstm.weight_ih_l0"].shape == (1024, 40)
    assert tensors["lstm.weight_hh_l2"].shape == (1024, 256)
    assert tensors["linear.weight"].shape == (256, 256)
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run by a file of numbers",)


def test_what_is_in_the_file_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pretrained.pt"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeightsUnreadable, match=r"asks for `builtins.print`"):
        read(path)
    assert capsys.readouterr().out == ""


HEADER = pickle.dumps(0x1950A86A20F9469CFC6C) + pickle.dumps(1001) + pickle.dumps({})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a newer file of torch",
        pickle.dumps(1),
        HEADER,
        HEADER + pickle.dumps({}) + pickle.dumps([]),
        HEADER + pickle.dumps({"model_state": {}}) + pickle.dumps(["a"]) + b"\x01",
        HEADER + pickle.dumps({"model_state": {}}) + pickle.dumps(["a"]) + b"\x02" + bytes(11),
        HEADER + pickle.dumps({"model_state": {"a": 1}}) + pickle.dumps([]),
    ],
)
def test_a_damaged_file_is_one_plain_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pretrained.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsUnreadable, match=r"`pretrained.pt`"):
        read(path)


def test_a_file_that_is_not_there_is_the_same_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnreadable):
        read(tmp_path / "pretrained.pt")
