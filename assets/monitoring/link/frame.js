// A binary message as a frame of audio, big-endian:
// u8 kind = 1 | u8 track | u16 flags | u32 audio_id | u32 chunk | u32 timestamp_ms | mu-law, 1 to 160 bytes.
// Nothing is copied: the audio is a view of the message.

/** Bytes before the audio. */
export const HEAD = 16;

/** The most bytes of audio: 20 ms. */
export const MAX_AUDIO = 160;

const KIND_AUDIO = 1;

/** Flag bit 0: out of the relay's memory, not live. */
const REPLAYED = 1;

/**
 * The frame in an ArrayBuffer; null for a kind of a later version, and for what cannot be a frame.
 * `{audioId, track, chunk, timestampMs, replayed, mulaw}`
 */
export function parseFrame(buffer) {
  const bytes = buffer.byteLength;
  if (bytes <= HEAD || bytes > HEAD + MAX_AUDIO) return null;
  const head = new DataView(buffer, 0, HEAD);
  const track = head.getUint8(1);
  if (head.getUint8(0) !== KIND_AUDIO || track > 1) return null;
  return {
    audioId: head.getUint32(4),
    track,
    chunk: head.getUint32(8),
    timestampMs: head.getUint32(12),
    replayed: (head.getUint16(2) & REPLAYED) !== 0,
    mulaw: new Uint8Array(buffer, HEAD),
  };
}
