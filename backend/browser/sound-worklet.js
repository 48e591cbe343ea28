// The audio thread's part of sound.js: 8 kHz samples to the device's own rate and back, at any rate that a device has.

const RATE = 8000; // of the phone network
const WINGS = 10; // zero crossings of the filter on each side: 1.3 ms of delay
const FINE = 512; // points of the filter's table for each zero crossing

// Seconds of sound.
const LEAST_SPARE = 0.03; // kept ready at the emptiest moment; it grows with each dropout
const MOST_SPARE = 0.12;
const FRAME = 0.02; // by which sound arrives
const MOST_BUFFERED = 0.1; // what is more is skipped; where much has to be kept ready, twice that
const LOOK_BACK = 0.5; // over which the emptiest moment is looked for
const NEWS_EVERY = 0.1;

// How much faster or slower than written sound may play so that the buffer stays as it should. It is mostly far less,
// which nobody hears.
const BENT = 0.05;

/** A windowed sinc, one wing, cut off below both rates' limits. */
function wing(cutoff) {
  const table = new Float32Array(WINGS * FINE + 2);
  for (let i = 0; i < WINGS * FINE; i += 1) {
    const x = i / FINE;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x * cutoff) / (Math.PI * x * cutoff);
    table[i] = cutoff * sinc * Math.cos((Math.PI * x) / (2 * WINGS)) ** 2;
  }
  return table;
}

/** Samples at one rate, asked for at any moments between them. */
class Interpolation {
  /** `scale`: the lower of the two rates by the rate of the samples put in. */
  constructor(scale) {
    this.scale = scale;
    this.table = wing(0.92);
    this.reach = Math.ceil(WINGS / scale);
    this.samples = new Float32Array(1 << 15);
    this.clear();
  }

  clear() {
    // The filter looks as far back as forward: what came before the beginning was silence.
    this.samples.fill(0, 0, this.reach);
    this.length = this.reach;
    this.at = this.reach;
  }

  /** How many samples are ahead. */
  get ahead() {
    return this.length - this.reach - this.at;
  }

  add(samples) {
    if (this.length + samples.length > this.samples.length) this.forget();
    this.samples.set(samples, this.length);
    this.length += samples.length;
  }

  forget() {
    const from = Math.floor(this.at) - this.reach;
    this.samples.copyWithin(0, from, this.length);
    this.length -= from;
    this.at -= from;
  }

  /** The sample here; then go on by `step`. */
  next(step) {
    const { samples, table, scale } = this;
    const middle = Math.floor(this.at);
    let sum = 0;
    for (let i = middle - this.reach + 1; i <= middle + this.reach; i += 1) {
      const place = Math.abs(this.at - i) * scale * FINE;
      const low = Math.floor(place);
      if (low >= WINGS * FINE) continue;
      sum += samples[i] * (table[low] + (place - low) * (table[low + 1] - table[low]));
    }
    this.at += step;
    return sum * scale;
  }
}

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.sound = new Interpolation(Math.min(1, sampleRate / RATE));
    this.spare = LEAST_SPARE;
    this.playing = false;
    this.begun = false;
    this.dropouts = 0;
    this.missed = 0; // seconds of silence played since the last sound
    this.silent = 0; // seconds of silence in all gaps
    this.lowest = Infinity;
    this.lowestBefore = Infinity;
    this.looked = this.told = currentTime;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  get buffered() {
    return Math.max(0, this.sound.ahead) / RATE;
  }

  take(samples) {
    this.sound.add(samples);
    const most = Math.max(MOST_BUFFERED, 2 * this.spare + FRAME);
    if (this.buffered > most) this.sound.at += (this.buffered - this.spare - FRAME) * RATE;
    if (!this.playing && this.buffered >= this.spare + FRAME) this.begin();
  }

  begin() {
    // Counted now and not when the sound ran out, since then it might just have been over.
    if (this.begun) {
      this.dropouts += 1;
      this.silent += this.missed;
      this.spare = Math.min(MOST_SPARE, this.spare + FRAME / 2);
    }
    this.missed = 0;
    this.begun = this.playing = true;
    this.lowest = this.lowestBefore = Infinity;
    this.looked = currentTime;
  }

  process(_, [[out]]) {
    const step = (RATE / sampleRate) * this.speed();
    for (let i = 0; i < out.length && this.playing; i += 1) {
      if (this.sound.ahead >= 1) out[i] = this.sound.next(step);
      else this.playing = false;
    }
    if (!this.playing && this.begun) this.missed += out.length / sampleRate;
    this.tell();
    return true;
  }

  /** Faster while too much is ready even at the emptiest moment, slower while too little is. */
  speed() {
    this.lowest = Math.min(this.lowest, this.buffered);
    if (currentTime - this.looked >= LOOK_BACK / 2) {
      this.lowestBefore = this.lowest;
      this.lowest = this.buffered;
      this.looked = currentTime;
      this.spare = Math.max(LEAST_SPARE, this.spare - 0.0005);
    }
    const emptiest = Math.min(this.lowest, this.lowestBefore);
    return 1 + Math.max(-BENT, Math.min(BENT, emptiest - this.spare));
  }

  tell() {
    if (currentTime - this.told < NEWS_EVERY) return;
    this.told = currentTime;
    const { dropouts, silent, buffered } = this;
    this.port.postMessage({ dropouts, silent, buffered });
  }
}

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.sound = new Interpolation(Math.min(1, RATE / sampleRate));
    this.frame = new Float32Array(FRAME * RATE);
    this.filled = 0;
  }

  process([[samples]]) {
    // A source that has not begun, or has ended, gives no channel.
    if (!samples) return true;
    this.sound.add(samples);
    while (this.sound.ahead >= 1) {
      this.frame[this.filled] = this.sound.next(sampleRate / RATE);
      this.filled += 1;
      if (this.filled === this.frame.length) this.hand();
    }
    return true;
  }

  hand() {
    this.port.postMessage(this.frame, [this.frame.buffer]);
    this.frame = new Float32Array(FRAME * RATE);
    this.filled = 0;
  }
}

registerProcessor("phone-player", Player);
registerProcessor("phone-recorder", Recorder);
