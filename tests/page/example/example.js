// Sends the microphone to itself over WebRTC, and asks where it may and where it may not.
const state = document.querySelector('#state');

async function listen() {
  if (!navigator.mediaDevices) throw new Error('no mediaDevices');
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const [track] = stream.getAudioTracks();
  track.addEventListener('ended', () => (state.textContent = 'unplugged'));
  const here = new RTCPeerConnection();
  const there = new RTCPeerConnection();
  here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate);
  there.onicecandidate = ({ candidate }) => here.addIceCandidate(candidate);
  there.ontrack = async ({ streams }) => {
    const player = new Audio();
    player.srcObject = streams[0];
    await player.play();
    state.textContent = 'listening';
  };
  here.addTrack(track, stream);
  await here.setLocalDescription();
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription();
  await here.setRemoteDescription(there.localDescription);
}

async function ask() {
  const refused = await fetch('http://127.0.0.1:9/elsewhere').then(() => 0, () => 1);
  const own = await fetch('/example.js');
  state.textContent = `refused: ${refused}, own: ${own.status}`;
}

const said = (error) => (state.textContent = `${error.name}: ${error.message}`);
document.querySelector('#listen').addEventListener('click', () => listen().catch(said));
document.querySelector('#ask').addEventListener('click', () => ask().catch(said));
