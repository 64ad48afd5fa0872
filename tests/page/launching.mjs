// How Chromium is started and what a page finds in it, as the microphone of a test demands.

const ALWAYS = [
  '--no-sandbox', // tests run as root in CI
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  // Sound works where there is nothing but `lo`.
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  // No name leads out of this machine; `june.test` is June on a host name, without TLS.
  '--host-resolver-rules=MAP june.test 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE localhost',
];

const FAKE = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** Chromium's flags for a microphone; `clip` is a wav file for `clip` only. */
export function flags(microphone, clip) {
  switch (microphone) {
    case 'clip':
      return [...ALWAYS, ...FAKE, `--use-file-for-fake-audio-capture=${clip}%noloop`];
    case 'denied':
      return [...ALWAYS, FAKE[0], `${FAKE[1]}=deny`];
    case 'missing':
      return [...ALWAYS, FAKE[1]];
    case 'spoken':
    case 'taken':
      return [...ALWAYS, ...FAKE];
    default:
      throw new Error(`no such microphone: ${microphone}`);
  }
}

/** Chromium's environment: where there shall be no microphone, this machine's own is hidden. */
export function environment(microphone, own) {
  if (microphone !== 'missing') return own;
  return { ...own, ALSA_CONFIG_PATH: '/dev/null', PULSE_SERVER: 'unix:/nowhere', PIPEWIRE_REMOTE: 'nowhere' };
}

/** Which scripts run in a page before its own. */
export function scripts(microphone) {
  return ['peers.js', ...(['spoken', 'taken'].includes(microphone) ? [`${microphone}.js`] : [])];
}
