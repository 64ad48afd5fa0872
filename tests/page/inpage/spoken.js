// A microphone that a test speaks into when it wants to.
if (navigator.mediaDevices) {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const microphones = new Set();
  let context;

  globalThis.__asked = []; // the constraints of each request for a microphone

  navigator.mediaDevices.getUserMedia = async (constraints) => {
    globalThis.__asked.push(constraints);
    if (!constraints?.audio || constraints.video) return open(constraints);
    // So that permission is asked for and the devices get their names, as by a real one.
    const real = await open(constraints);
    const settings = real.getAudioTracks()[0].getSettings();
    real.getTracks().forEach((track) => track.stop());
    context ??= new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const microphone = context.createMediaStreamDestination();
    // Between words it is silent, as a real one is; with nothing connected it would send nothing.
    const silence = new ConstantSourceNode(context, { offset: 0 });
    silence.connect(microphone);
    silence.start();
    const [track] = microphone.stream.getAudioTracks();
    track.getSettings = () => settings;
    microphones.add(microphone);
    return microphone.stream;
  };

  /** Say a wav file, given in base64; done when its last sample is said. */
  globalThis.__say = async (wav) => {
    if (!microphones.size) throw new Error('the page has not opened a microphone');
    const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(bytes.buffer);
    microphones.forEach((microphone) => source.connect(microphone));
    const ended = new Promise((done) => source.addEventListener('ended', done));
    source.start();
    await ended;
  };

  /** Pull the plug: its tracks end, and the list of devices has changed. */
  globalThis.__unplug = () => {
    for (const track of [...microphones].flatMap((one) => one.stream.getTracks())) {
      track.stop();
      track.dispatchEvent(new Event('ended'));
    }
    microphones.clear();
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  };
}
