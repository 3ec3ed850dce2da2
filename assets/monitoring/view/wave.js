// The sound of one side as a row of bars, the newest at the right. Draws what it is given and asks for nothing.

/** A bar and the space after it, CSS pixels. */
const BAR = 2;
const STEP = 3;
/** Drawn at least so high, pixels: silence is a line. */
const LINE = 1;

export class Wave {
  #canvas;
  #size = [0, 0];
  #colours = ['', ''];
  #peaks = [];

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => {
      this.#size = [canvas.clientWidth, canvas.clientHeight];
      this.draw(this.#peaks);
    }).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.dress());
    this.dress();
  }

  /** Takes its colours from the style again: whose side it is has changed, or day and night. */
  dress() {
    const style = getComputedStyle(this.#canvas);
    this.#colours = [style.color, style.getPropertyValue('--line')];
    this.draw(this.#peaks);
  }

  /** How many bars there is room for. */
  get room() {
    return Math.max(1, Math.floor(this.#size[0] / STEP));
  }

  /** Draws peaks, 0 to 1, the newest last. */
  draw(peaks) {
    this.#peaks = peaks;
    const [width, height] = this.#size;
    const scale = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (w === 0 || h === 0) return;
    if (this.#canvas.width !== w || this.#canvas.height !== h) [this.#canvas.width, this.#canvas.height] = [w, h];
    const pen = this.#canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const middle = height / 2;
    pen.fillStyle = this.#colours[1];
    pen.fillRect(0, middle - LINE / 2, width, LINE);
    pen.fillStyle = this.#colours[0];
    for (let n = 0; n < peaks.length; n += 1) {
      // Speech is quiet most of the time: the root lifts what is heard as quiet but clear.
      const tall = Math.sqrt(Math.min(1, peaks[n])) * (height - 2);
      if (tall > LINE) pen.fillRect(width - (peaks.length - n) * STEP, middle - tall / 2, BAR, tall);
    }
  }
}
