// Sound of phone calls in the browser: 8 kHz mu-law (ITU-T G.711), a byte a sample, in and out.
//
// The device's own rate is used, since not every browser opens one at 8 kHz; the worklet converts. Browsers let a page
// sound only after a click or a key in it, or in the page around it: open a speaker there, or call `wake` there.

const FRAME = 160; // bytes in the 20 ms that phones send at a time
const SILENCE = 0xff;
const BIAS = 132;
const CLIP = 32635;

const LINEAR = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const size = (((code & 15) << 3) + BIAS) << ((code >> 4) & 7);
  return ((code & 128 ? -1 : 1) * (size - BIAS)) / 32768;
});

/** Mu-law to samples from -1 to 1. */
export function decode(mulaw) {
  return Float32Array.from(mulaw, (byte) => LINEAR[byte]);
}

/** Samples from -1 to 1 to mu-law. */
export function encode(samples) {
  return Uint8Array.from(samples, (sample) => {
    const size = Math.min(Math.abs(Math.round(sample * 32768)), CLIP) + BIAS;
    const exponent = 24 - Math.clz32(size);
    return ~((sample < 0 ? 128 : 0) | (exponent << 4) | ((size >> (exponent + 3)) & 15)) & 0xff;
  });
}

/** How loud a piece of mu-law is, for a meter: 0 for silence (60 dB below full scale) to 1. */
export function level(mulaw) {
  let power = 0;
  for (const byte of mulaw) power += LINEAR[byte] ** 2;
  const decibels = 10 * Math.log10(Math.max(power / Math.max(mulaw.length, 1), 1e-10));
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}

async function context() {
  const made = new AudioContext({ latencyHint: "interactive" });
  try {
    await made.audioWorklet.addModule(new URL("sound-worklet.js", import.meta.url));
  } catch (error) {
    await made.close();
    throw error;
  }
  return made;
}

/** Plays frames as they arrive: 30 to 60 ms later, at most 100, and more only where they come very unevenly. */
export class Speaker {
  /** How often sound was missing, between two frames, and silence was played instead. */
  dropouts = 0;
  /** Seconds of that silence. */
  silent = 0;
  /** Seconds of sound that are ready. */
  buffered = 0;

  /** Get ready; sounds at once where the browser lets it. */
  async open() {
    this.context = await context();
    this.node = new AudioWorkletNode(this.context, "phone-player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }) => Object.assign(this, data);
    this.node.connect(this.context.destination);
    return this;
  }

  /** Whether the browser lets it sound. */
  get awake() {
    return this.context?.state === "running";
  }

  /** Begin to sound; call it from a click or a key. */
  async wake() {
    await this.context.resume();
  }

  /** Play 20 ms, or several sides' 20 ms at the same time: Uint8Arrays of mu-law, all of one length. */
  play(...sides) {
    // What came while the browser did not let it sound would only be late.
    if (!this.awake) return;
    const [mixed, ...others] = sides.map(decode);
    for (const other of others) other.forEach((sample, i) => (mixed[i] += sample));
    this.node.port.postMessage(mixed, [mixed.buffer]);
  }

  async close() {
    const { context: open } = this;
    this.context = undefined;
    if (open && open.state !== "closed") await open.close();
  }
}

/** Why there is no microphone, in words for the person in front of it. */
export class NoMicrophone extends Error {}

const REASONS = {
  NotAllowedError:
    "The browser does not let this page use the microphone. Allow it beside the address, and try again.",
  NotFoundError: "No microphone was found. Connect one, and try again.",
  NotReadableError: "The microphone is in use by another program. Close that, and try again.",
};

/** Hands over 20 ms of mu-law at a time, without the echo of what the speaker plays. */
export class Microphone {
  /** While true, silence is handed over. */
  muted = false;

  /** `give(frame)`: takes each frame, a Uint8Array; `lost()`: the device is gone. */
  constructor(give, lost = () => {}) {
    this.give = give;
    this.lost = lost;
  }

  /** Ask for the microphone and begin. Throws NoMicrophone with a sentence that says what to do. */
  async open() {
    this.stream = await microphone();
    try {
      await this.listen();
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  async listen() {
    this.context = await context();
    await this.context.resume();
    // Else there is nothing that could be collected, but some browsers collect it.
    this.source = this.context.createMediaStreamSource(this.stream);
    this.node = new AudioWorkletNode(this.context, "phone-recorder", { channelCount: 1, channelCountMode: "explicit" });
    this.node.port.onmessage = ({ data }) => this.give(this.muted ? new Uint8Array(FRAME).fill(SILENCE) : encode(data));
    // Only what leads to the destination is run; it gives silence.
    this.source.connect(this.node).connect(this.context.destination);
    this.stream.getAudioTracks()[0].onended = () => this.lost();
  }

  async close() {
    const { context: open, stream } = this;
    this.context = this.stream = undefined;
    for (const track of stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    if (this.node) this.node.port.onmessage = null;
    if (open && open.state !== "closed") await open.close();
  }
}

async function microphone() {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new NoMicrophone("Browsers give the microphone only to pages on this machine or with https.");
  }
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new NoMicrophone(REASONS[error.name] ?? `The microphone could not be opened (${error.name}).`);
  }
}
