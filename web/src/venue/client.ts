/** The order service as the page asks it; it has no authority: what it says is checked against what was asked. */
import createClient from "openapi-fetch";
import type { Address, Hex } from "viem";
import { type SignedOrder, toWire } from "./order.ts";
import type { components, paths } from "./schema.ts";

export type InstrumentView = components["schemas"]["InstrumentView"];
export type OrderView = components["schemas"]["OrderView"];
export type FillView = components["schemas"]["FillView"];
export type TradeView = components["schemas"]["TradeView"];
export type RequestView = components["schemas"]["RequestView"];
export type PlaceResult = components["schemas"]["PlaceResult"];
export type Challenge = components["schemas"]["ChallengeView"];
type Problem = components["schemas"]["Problem"];

export class VenueProblem extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

const OFFLINE =
  "The order service does not answer. Orders that it has taken stay valid; deposits, margins and withdrawals work without it.";

interface Answered<T> {
  readonly data?: T | undefined;
  readonly error?: unknown;
  readonly response: Response;
}

export class Venue {
  readonly url: string;
  readonly #api: ReturnType<typeof createClient<paths>>;
  #token: string | null = null;

  constructor(url: string) {
    this.url = url;
    this.#api = createClient<paths>({ baseUrl: url });
    this.#api.use({
      onRequest: ({ request }) => {
        if (this.#token) request.headers.set("Authorization", `Bearer ${this.#token}`);
        return request;
      },
    });
  }

  async #ask<T>(work: Promise<Answered<T>>): Promise<T> {
    let answer: Answered<T>;
    try {
      answer = await work;
    } catch {
      throw new VenueProblem("offline", OFFLINE);
    }
    if (answer.data !== undefined && answer.response.ok) return answer.data;
    const found = answer.error as Problem | undefined;
    if (found?.message) throw new VenueProblem(found.code, found.message);
    throw new VenueProblem("offline", `${OFFLINE} (status ${answer.response.status})`);
  }

  instruments(underlyingId: number, expiryTs: number): Promise<InstrumentView[]> {
    return this.#ask(this.#api.GET("/api/instruments", { params: { query: { underlyingId, expiryTs } } }));
  }

  async place({ order, signature }: SignedOrder, timeInForce: "gtc" | "ioc"): Promise<PlaceResult> {
    const body = { orders: [{ order: toWire(order), signature, timeInForce, trigger: null, clientId: "" }] };
    const { results } = await this.#ask(this.#api.POST("/api/orders", { body }));
    const [result] = results;
    if (!result) throw new VenueProblem("defect", "The order service answered without a result.");
    if (result.problem) throw new VenueProblem(result.problem.code, result.problem.message);
    return result;
  }

  async cancel(orderHash: string): Promise<void> {
    const { results } = await this.#ask(this.#api.POST("/api/orders/cancel", { body: { orderHashes: [orderHash] } }));
    const refused = results.find((result) => result.problem);
    if (refused?.problem) throw new VenueProblem(refused.problem.code, refused.problem.message);
  }

  async cancelAll(accountId: bigint): Promise<void> {
    const body = { accountId: Number(accountId), underlyingId: null, instrument: null, isBuy: null };
    await this.#ask(this.#api.POST("/api/orders/mass-cancel", { body }));
  }

  challenge(address: Address): Promise<Challenge> {
    return this.#ask(this.#api.POST("/api/login/challenge", { body: { address } }));
  }

  /** The token stays in memory: it may see and cancel orders, so that it is kept nowhere. */
  async login(address: Address, nonce: string, signature: Hex): Promise<string> {
    const grant = await this.#ask(this.#api.POST("/api/login", { body: { address, nonce, signature } }));
    this.#token = grant.token;
    return grant.token;
  }

  forget(): void {
    this.#token = null;
  }

  askQuotes(takerId: bigint, legs: components["schemas"]["WantedLeg"][], lifeSec: number): Promise<RequestView> {
    return this.#ask(this.#api.POST("/api/requests", { body: { takerId: Number(takerId), legs, lifeSec } }));
  }

  request(requestId: number): Promise<RequestView> {
    return this.#ask(this.#api.GET("/api/requests/{requestId}", { params: { path: { requestId } } }));
  }
}
