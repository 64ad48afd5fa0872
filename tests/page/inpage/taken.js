// A microphone that another program has.
if (navigator.mediaDevices) {
  navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException('Could not start audio source', 'NotReadableError');
  };
}
