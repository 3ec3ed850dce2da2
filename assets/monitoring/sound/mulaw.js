// G.711 mu-law by table, as shared/src/audio/g711.rs has it. Full scale is 1.

const BIAS = 0x84;

/** Every byte's sample, as the 16 bits that ITU-T writes. */
export const PCM = Int16Array.from({ length: 256 }, (_, byte) => {
  const v = ~byte & 0xff;
  const magnitude = (((v & 0x0f) << 3) + BIAS) << ((v >> 4) & 7);
  return v & 0x80 ? BIAS - magnitude : magnitude - BIAS;
});

/** The same between -1 and 1. */
export const SAMPLES = Float32Array.from(PCM, (pcm) => pcm / 32768);
