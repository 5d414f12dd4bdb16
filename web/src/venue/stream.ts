/** The WebSocket of the order service: channels that are resumed after every break, and gaps that are noticed. */
import type { components } from "./schema.ts";
import { judge, type Place } from "./sequence.ts";

export type ServerMessage = components["schemas"]["ServerMessage"];
export type ChannelMessage = Extract<ServerMessage, { channel: string }>;

type Listener = (message: ChannelMessage) => void;

interface Channel {
  last: Place | null;
  /** Asked anew since the last gap, so that what still arrives of the old one asks for nothing more. */
  isAsked: boolean;
  readonly listeners: Set<Listener>;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** A first message of each channel that shows everything by itself. */
const SNAPSHOTS = new Set(["bookSnapshot", "ordersSnapshot"]);
/** Channels whose every message is a whole state. */
const WHOLE = new Set(["margin", "round", "auctions", "chain"]);

export type Health = "connecting" | "live" | "lost";

export interface StreamEvents {
  readonly onHealth: (health: Health) => void;
  /** The service's clock, when it greets. */
  readonly onClock: (nowMs: number) => void;
  /** Messages of a channel were missed and are asked for anew; how often so far. */
  readonly onGap: (gaps: number) => void;
  /** Why the service closes the stream. */
  readonly onFarewell: (code: string) => void;
}

/** Closed because more readers are there than the service takes. */
const TRY_LATER = 1013;

export class Stream {
  readonly #url: string;
  readonly #channels = new Map<string, Channel>();
  readonly #on: StreamEvents;
  #socket: WebSocket | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #token: string | null = null;
  #isClosed = false;
  #calls = 0;
  #gaps = 0;

  constructor(baseUrl: string, on: StreamEvents) {
    this.#url = `${baseUrl.replace(/^http/, "ws")}/api/stream`;
    this.#on = on;
    this.#open();
  }

  /** Follows a channel; returns how to stop. */
  follow(name: string, listener: Listener): () => void {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = { last: null, isAsked: false, listeners: new Set() };
      this.#channels.set(name, channel);
    } else {
      // A later listener wants the whole state as well.
      channel.last = null;
    }
    channel.listeners.add(listener);
    this.#subscribe(name, channel);
    return () => {
      const found = this.#channels.get(name);
      found?.listeners.delete(listener);
      if (!found || found.listeners.size) return;
      this.#channels.delete(name);
      this.#send({ op: "unsubscribe", id: this.#id(), channel: name });
    };
  }

  /** Binds the connection, and every later one, to the address of a login. */
  authenticate(token: string): void {
    this.#token = token;
    this.#send({ op: "authenticate", id: this.#id(), token });
    for (const [name, channel] of this.#channels) if (channel.last === null) this.#subscribe(name, channel);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
  }

  #id(): number {
    this.#calls += 1;
    return this.#calls;
  }

  #send(message: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #subscribe(name: string, channel: Channel): void {
    channel.isAsked = true;
    this.#send({ op: "subscribe", id: this.#id(), channel: name, ...(channel.last ? { since: channel.last } : {}) });
  }

  #open(): void {
    this.#on.onHealth("connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#on.onHealth("live");
      if (this.#token) this.#send({ op: "authenticate", id: this.#id(), token: this.#token });
      for (const [name, channel] of this.#channels) this.#subscribe(name, channel);
    };
    socket.onmessage = (event) => this.#receive(String(event.data));
    socket.onclose = (event) => {
      if (this.#isClosed) return;
      if (event.code === TRY_LATER) this.#on.onFarewell("tooManyReaders");
      this.#on.onHealth("lost");
      setTimeout(() => this.#open(), this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    };
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    if (message.type === "welcome") this.#on.onClock(message.nowMs);
    if (message.type === "farewell") this.#on.onFarewell(message.problem.code);
    if (!("channel" in message)) return;
    const channel = this.#channels.get(message.channel);
    if (!channel) return;
    const starts = SNAPSHOTS.has(message.type) || WHOLE.has(message.type) || (channel.last === null && channel.isAsked);
    const verdict = judge(channel.last, message, starts);
    if (verdict === "gap") {
      this.#gaps += 1;
      this.#on.onGap(this.#gaps);
      if (channel.isAsked) return;
      channel.last = null;
      this.#subscribe(message.channel, channel);
      return;
    }
    if (verdict === "old") return;
    channel.isAsked = false;
    channel.last = { epoch: message.epoch, seq: message.seq };
    for (const listener of channel.listeners) listener(message);
  }
}
