// The recording that is heard: its picture, playing, speed, the loop, and the word that is spoken.

import { icon } from '../dom.js';
import { Player } from '../player.js';
import { clockTime } from '../time.js';
import { Waveform } from '../waveform.js';
import { Loop } from './loop.js';

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const SPEED_KEY = 'glas-review-speed';
const AUTO_KEY = 'glas-review-auto';
const STEP_S = 2;
const AROUND_S = 0.08; // a word is played with a little of what is around it

const byId = (id) => document.getElementById(id);

function remembered(key, otherwise) {
  try {
    return localStorage.getItem(key) ?? otherwise;
  } catch {
    return otherwise; // storage may be forbidden
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // it then lasts as long as the page
  }
}

export class Sound {
  #player = null;
  #next = null; // {item, player}: of the message that comes next
  #wave;
  #loop;
  #item = null;
  #speed = Number(remembered(SPEED_KEY, '1'));
  #onWord;

  /** @param {(index: number) => void} onWord  the word that is spoken now; -1: none */
  constructor(onWord) {
    this.#onWord = onWord;
    this.#wave = new Waveform(byId('wave'), { onSeek: (at) => this.seek(at), onToggle: () => this.toggle() });
    this.#loop = new Loop(byId('wave-touch'), byId('loop-span'), {
      onSeek: (at) => this.seek(at),
      onChange: () => {
        byId('loop').ariaPressed = String(this.#loop.isOn);
      },
    });
    byId('play').addEventListener('click', () => this.toggle());
    byId('slower').addEventListener('click', () => this.faster(-1));
    byId('faster').addEventListener('click', () => this.faster(+1));
    byId('loop').addEventListener('click', () => this.toggleLoop());
    byId('auto').checked = remembered(AUTO_KEY, 'yes') === 'yes';
    byId('auto').addEventListener('change', ({ target }) => remember(AUTO_KEY, target.checked ? 'yes' : 'no'));
    this.#showState(false);
    this.faster(0);
  }

  /** Load the sound of the message that comes next, so that it can be played at once. */
  async prepare(item) {
    if (!item || this.#next?.item === item || this.#item === item) return;
    const sound = await item.sound;
    if (!sound || this.#next?.item === item || this.#item === item) return;
    this.#next?.player.close();
    this.#next = { item, player: this.#made(item, sound) };
  }

  /** Show a message; play it if the reviewer wants that. Returns whether there is a sound. */
  async show(item, mayPlay) {
    this.#player?.close();
    this.#player = null;
    this.#item = item;
    this.#loop.reset(item.duration);
    this.#wave.set({ peaks: null, duration: item.duration, segments: item.spans, heard: null });
    this.#moved(0);
    this.#showState(false);
    byId('length').textContent = clockTime(item.duration);
    const prepared = this.#next?.item === item ? this.#next.player : null;
    if (prepared) this.#next = null;
    const sound = await item.sound;
    if (this.#item !== item || !sound) return sound !== null;
    this.#player = prepared ?? this.#made(item, sound);
    this.#loop.reset(sound.duration);
    this.#wave.set({ peaks: sound.peaks, duration: sound.duration });
    byId('length').textContent = clockTime(sound.duration);
    this.faster(0);
    if (mayPlay && byId('auto').checked) this.#player.playFrom(0);
    return true;
  }

  /** Be silent: there is no message. */
  clear() {
    this.#player?.close();
    this.#player = this.#item = null;
  }

  toggle() {
    this.#player?.toggle();
  }

  again() {
    this.#player?.playFrom(this.#loop.isOn ? this.#loop.span.start : 0);
  }

  step(direction) {
    if (this.#player) this.seek(this.#player.element.currentTime + direction * STEP_S);
  }

  seek(seconds) {
    if (!this.#player) return;
    this.#player.element.currentTime = Math.min(Math.max(seconds, 0), this.#wave.duration);
  }

  playFrom(seconds) {
    this.#loop.set(null, false);
    this.#player?.playFrom(seconds);
  }

  /** Change the speed by so many steps. */
  faster(steps) {
    const at = Math.max(SPEEDS.indexOf(this.#speed), 0) + (SPEEDS.includes(this.#speed) ? steps : 2);
    this.#speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
    if (this.#player) this.#player.element.playbackRate = this.#speed;
    byId('speed').textContent = `${this.#speed.toLocaleString(document.documentElement.lang)}×`;
    if (steps) remember(SPEED_KEY, String(this.#speed));
  }

  /** Repeat what is selected; else the word that is spoken now, else everything. */
  toggleLoop() {
    if (!this.#player) return;
    if (this.#loop.isOn) {
      this.#loop.set(null, false);
      return;
    }
    const now = this.#player.element.currentTime;
    const word = this.#item.words.findLast(({ start }) => start <= now);
    const whole = { start: 0, end: this.#wave.duration };
    const of = (one) => ({
      start: Math.max(one.start - AROUND_S, 0),
      end: Math.min(one.end + AROUND_S, this.#wave.duration),
    });
    this.#loop.set(this.#loop.span ?? (word ? of(word) : whole), true);
    this.#player.playFrom(this.#loop.span.start);
  }

  #made(item, { file }) {
    const player = new Player(file, {
      onMove: (at) => this.#item === item && this.#moved(at),
      onState: (playing) => this.#item === item && this.#showState(playing),
      onBroken: () => {
        byId('sound-problem').hidden = this.#item !== item;
      },
      onDuration: () => {},
    });
    player.element.preload = 'auto';
    player.element.addEventListener('ended', () => {
      if (this.#loop.isOn) player.playFrom(this.#loop.span.start);
    });
    return player;
  }

  #moved(seconds) {
    const back = this.#loop.after(seconds);
    if (back !== null && this.#player && !this.#player.element.paused) {
      this.#player.element.currentTime = back;
      return;
    }
    this.#wave.moveTo(seconds);
    byId('position').textContent = clockTime(seconds);
    const words = this.#item?.words ?? [];
    this.#onWord(seconds > 0 ? words.findLastIndex(({ start, end }) => start <= seconds && seconds < end + 0.3) : -1);
  }

  #showState(playing) {
    byId('play').replaceChildren(icon(playing ? 'pause' : 'play'));
  }
}
