// Keeps every peer connection of the page, so that a test can ask what is sent and heard.
globalThis.__peers = [];
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) {
    super(...given);
    globalThis.__peers.push(this);
  }
};
/** Loudness now, energy and seconds since the beginning; `heard` is what the page plays. */
globalThis.__sound = async () => {
  const sum = () => ({ level: 0, energy: 0, seconds: 0 });
  const sound = { heard: sum(), sent: sum() };
  for (const peer of globalThis.__peers.filter((one) => one.connectionState !== 'closed')) {
    for (const report of (await peer.getStats()).values()) {
      const into = { 'inbound-rtp': sound.heard, 'media-source': sound.sent }[report.type];
      if (!into || report.kind !== 'audio') continue;
      into.level = Math.max(into.level, report.audioLevel ?? 0);
      into.energy += report.totalAudioEnergy ?? 0;
      into.seconds += report.totalSamplesDuration ?? 0;
    }
  }
  return sound;
};

// And every web socket, so that a test can cut one as a dead line is.
globalThis.__sockets = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    globalThis.__sockets.push(this);
  }
};
