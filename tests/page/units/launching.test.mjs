import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, flags, scripts } from '../launching.mjs';

test('a clip is played once', () => {
  assert.ok(flags('clip', '/a/b.wav').includes('--use-file-for-fake-audio-capture=/a/b.wav%noloop'));
});

test('who denies the microphone has one', () => {
  assert.ok(flags('denied').includes('--use-fake-ui-for-media-stream=deny'));
  assert.ok(flags('denied').includes('--use-fake-device-for-media-stream'));
});

test('a missing microphone is not the one of this machine either', () => {
  assert.ok(!flags('missing').includes('--use-fake-device-for-media-stream'));
  assert.equal(environment('missing', { A: 'b' }).ALSA_CONFIG_PATH, '/dev/null');
  assert.deepEqual(environment('spoken', { A: 'b' }), { A: 'b' });
});

test('a test speaks through a script in the page', () => {
  assert.deepEqual(scripts('spoken'), ['peers.js', 'spoken.js']);
  assert.deepEqual(scripts('clip'), ['peers.js']);
});

test('an unknown microphone is refused', () => {
  assert.throws(() => flags('radio'), /no such microphone: radio/);
});
