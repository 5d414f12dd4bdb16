/** The order service as the page asks it; it has no authority: what it says is checked against what was asked. */
import createClient from "openapi-fetch";
import type { Address, Hex } from "viem";
import type { SignedIntent } from "./intent.ts";
import { type SignedOrder, toWire } from "./order.ts";
import type { components, paths } from "./schema.ts";

export type InstrumentView = components["schemas"]["InstrumentView"];
export type OrderView = components["schemas"]["OrderView"];
export type FillView = components["schemas"]["FillView"];
export type TradeView = components["schemas"]["TradeView"];
export type RequestView = components["schemas"]["RequestView"];
export type PlaceResult = components["schemas"]["PlaceResult"];
export type Protection = components["schemas"]["Protection"];
export type ProtectionView = components["schemas"]["ProtectionView"];
export type IntentEntry = components["schemas"]["IntentPage"]["intents"][number];
export type Challenge = components["schemas"]["ChallengeView"];
type Problem = components["schemas"]["Problem"];

export class VenueProblem extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** A signed order with what the service keeps about it: how long, and what it waits for. */
export interface Placing extends SignedOrder {
  readonly timeInForce: "gtc" | "ioc";
}

const wirePlacing = ({ order, signature, timeInForce }: Placing) => ({
  order: toWire(order),
  signature,
  timeInForce,
  clientId: "",
});

/** What became of an order that was taken; a refusal is thrown. */
function taken(result: PlaceResult | undefined): PlaceResult {
  if (!result) throw new VenueProblem("defect", "The order service answered without a result.");
  if (result.problem) throw new VenueProblem(result.problem.code, result.problem.message);
  return result;
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

  /** Places orders in one message, in this order; the first that is refused is thrown, with what became of the rest. */
  async place(placings: readonly Placing[]): Promise<PlaceResult[]> {
    const body = { orders: placings.map(wirePlacing) };
    const { results } = await this.#ask(this.#api.POST("/api/orders", { body }));
    const refused = results.find((result) => result.problem)?.problem;
    const accepted = results.flatMap((result) => (result.order ? [result.order.orderHash] : []));
    if (refused && accepted.length) {
      // Half of a pair is not what was asked for.
      const isUndone = await this.cancel(...accepted).then(
        () => true,
        () => false,
      );
      const rest = isUndone ? "was taken and is cancelled again" : "was taken and is in the book; sign in to cancel it";
      throw new VenueProblem(refused.code, `${refused.message}. The other order of the pair ${rest}.`);
    }
    return results.map(taken);
  }

  /** Takes an order out and puts another in its place, in one step; when that is refused the old one stays. */
  async amend(orderHash: string, placing: Placing): Promise<PlaceResult> {
    const body = { orderHash, replacement: wirePlacing(placing) };
    return taken(await this.#ask(this.#api.POST("/api/orders/amend", { body })));
  }

  async cancel(...orderHashes: string[]): Promise<void> {
    const { results } = await this.#ask(this.#api.POST("/api/orders/cancel", { body: { orderHashes } }));
    const refused = results.find((result) => result.problem);
    if (refused?.problem) throw new VenueProblem(refused.problem.code, refused.problem.message);
  }

  /** Cancels every open order of an account, or those of one side. */
  async cancelAll(accountId: bigint, isBuy: boolean | null = null): Promise<void> {
    const body = { accountId: Number(accountId), underlyingId: null, instrument: null, isBuy };
    await this.#ask(this.#api.POST("/api/orders/mass-cancel", { body }));
  }

  /** The bounds after which the service pulls an account's quotes; null where none were set. */
  async protection(accountId: bigint): Promise<ProtectionView | null> {
    const params = { path: { accountId: Number(accountId) } };
    try {
      return await this.#ask(this.#api.GET("/api/accounts/{accountId}/protection", { params }));
    } catch (thrown) {
      if (thrown instanceof VenueProblem && thrown.code === "notFound") return null;
      throw thrown;
    }
  }

  protect(wanted: Protection): Promise<ProtectionView> {
    const params = { path: { accountId: wanted.accountId } };
    return this.#ask(this.#api.PUT("/api/accounts/{accountId}/protection", { params, body: wanted }));
  }

  /** Open intents of an account. */
  async intents(accountId: bigint): Promise<IntentEntry[]> {
    const page = await this.#ask(this.#api.GET("/api/intents"));
    return page.intents.filter((entry) => entry.intent.accountId === Number(accountId));
  }

  async intend(signed: SignedIntent): Promise<void> {
    await this.#ask(this.#api.POST("/api/intents", { body: signed }));
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
