/** A wallet for tests: signs with a key outside of the page, and can be as difficult as real ones are. */
import type { Page } from "@playwright/test";
import { type Address, createWalletClient, type Hex, http, numberToHex } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { Scene } from "./scene.ts";

interface Request {
  readonly method: string;
  readonly params?: readonly unknown[];
}

class Refusal extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

const ICON =
  "data:image/svg+xml;utf8," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="2" fill="#e2761b"/></svg>',
  );

export interface Manner {
  /** Announce by EIP-6963; otherwise only be `window.ethereum`. */
  readonly announces?: boolean;
}

export class TestWallet {
  accounts: PrivateKeyAccount[];
  /** An address that acts through a contract; its key signs. */
  contractAddress: Address | null = null;
  chainId = 31337;
  locked = false;
  rejects = false;
  /** Signs typed data with this key instead of the one that it shows. */
  signsAs: PrivateKeyAccount | null = null;
  silent = false;
  batches = false;
  knowsChain = true;
  /** Called before a request is answered. */
  before: ((method: string) => Promise<void> | void) | null = null;
  readonly asked: Request[] = [];
  readonly #scene: Scene;
  #page: Page | null = null;
  readonly #batches = new Map<string, Hex>();

  constructor(scene: Scene, ...keys: Hex[]) {
    this.#scene = scene;
    this.accounts = keys.map((key) => privateKeyToAccount(key));
  }

  get addresses(): Address[] {
    if (this.contractAddress) return [this.contractAddress];
    return this.accounts.map((account) => account.address);
  }

  /** Puts the wallet into a page, now and after every reload. */
  async enter(page: Page, { announces = true }: Manner = {}): Promise<void> {
    this.#page = page;
    await page.exposeFunction("plimsollTestWallet", async (request: Request) => {
      try {
        return { result: await this.#answer(request) };
      } catch (thrown) {
        const { code = -32603, message, data } = thrown as Refusal;
        return { error: { code, message, data } };
      }
    });
    await page.addInitScript(
      ({ icon, announce }) => {
        type Answer = { result?: unknown; error?: { code: number; message: string; data: unknown } };
        const ask = (window as unknown as { plimsollTestWallet: (request: unknown) => Promise<Answer> })
          .plimsollTestWallet;
        const listeners = new Map<string, Set<(value: unknown) => void>>();
        const provider = {
          request: async (request: unknown) => {
            const { result, error } = await ask(request);
            if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
            return result;
          },
          on: (name: string, listener: (value: unknown) => void) => {
            listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
          },
          removeListener: (name: string, listener: (value: unknown) => void) => listeners.get(name)?.delete(listener),
        };
        Object.assign(window, {
          ethereum: announce ? undefined : provider,
          plimsollTestEmit: (name: string, value: unknown) => {
            for (const listener of listeners.get(name) ?? []) listener(value);
          },
        });
        if (!announce) return;
        const info = { uuid: "0d0c1f0e-8d0d-4c8b-9c0e-test", name: "Test wallet", icon, rdns: "test.wallet" };
        const tell = () =>
          window.dispatchEvent(
            new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }),
          );
        window.addEventListener("eip6963:requestProvider", tell);
        tell();
      },
      { icon: ICON, announce: announces },
    );
  }

  async emit(name: string, value: unknown): Promise<void> {
    await this.#page?.evaluate(
      ([event, payload]) =>
        (window as unknown as { plimsollTestEmit: (name: unknown, value: unknown) => void }).plimsollTestEmit(
          event,
          payload,
        ),
      [name, value] as const,
    );
  }

  /** The person picks another account in the wallet. */
  async switchTo(index: number): Promise<void> {
    const picked = this.accounts[index];
    if (!picked) throw new Error(`there is no account ${index}`);
    this.accounts = [picked, ...this.accounts.filter((account) => account !== picked)];
    await this.emit("accountsChanged", this.addresses);
  }

  async #answer(request: Request): Promise<unknown> {
    this.asked.push(request);
    await this.before?.(request.method);
    if (this.silent && request.method !== "eth_accounts" && request.method !== "eth_chainId")
      await new Promise(() => undefined);
    const params = request.params ?? [];
    switch (request.method) {
      case "eth_chainId":
        return numberToHex(this.chainId);
      case "eth_accounts":
        return this.locked ? [] : this.addresses;
      case "eth_requestAccounts":
        this.#askPerson();
        return this.locked ? [] : this.addresses;
      case "wallet_switchEthereumChain":
        this.#askPerson();
        if (!this.knowsChain) throw new Refusal(4902, "Unrecognized chain ID");
        return this.#setChain(31337);
      case "wallet_addEthereumChain":
        this.#askPerson();
        this.knowsChain = true;
        return this.#setChain(31337);
      case "wallet_getCapabilities":
        if (!this.batches) throw new Refusal(-32601, "the method does not exist");
        return { [numberToHex(this.chainId)]: { atomic: { status: "supported" } } };
      case "wallet_sendCalls":
        this.#askPerson();
        return this.#sendCalls(params[0] as { calls: { to: Address; data: Hex }[] });
      case "wallet_getCallsStatus":
        return this.#callsStatus(String(params[0]));
      case "eth_signTypedData_v4":
        this.#askPerson();
        return (this.signsAs ?? this.#signer()).signTypedData(JSON.parse(String(params[1])));
      case "eth_sendTransaction":
        this.#askPerson();
        return this.#send(params[0] as { to: Address; data: Hex; gas?: Hex });
      default:
        return this.#scene.rpc(request.method, ...params);
    }
  }

  #askPerson(): void {
    if (this.rejects) throw new Refusal(4001, "User rejected the request.");
  }

  #signer(): PrivateKeyAccount {
    const [account] = this.accounts;
    if (!account) throw new Refusal(4100, "no account");
    return account;
  }

  async #setChain(chainId: number): Promise<null> {
    this.chainId = chainId;
    await this.emit("chainChanged", numberToHex(chainId));
    return null;
  }

  async #send({ to, data, gas }: { to: Address; data: Hex; gas?: Hex }): Promise<Hex> {
    if (this.contractAddress) {
      // The chain lets a test act as any contract: what its owners would have it do.
      await this.#scene.rpc("anvil_impersonateAccount", this.contractAddress);
      const transaction = { from: this.contractAddress, to, data, gas: gas ?? "0x989680" };
      return this.#scene.rpc<Hex>("eth_sendTransaction", transaction);
    }
    const client = createWalletClient({ account: this.#signer(), transport: http(this.#scene.facts.rpc) });
    return client.sendTransaction({ to, data, chain: null, gas: gas ? BigInt(gas) : 10_000_000n });
  }

  async #sendCalls({ calls }: { calls: { to: Address; data: Hex }[] }): Promise<{ id: string }> {
    let hash: Hex = "0x";
    for (const call of calls) hash = await this.#send(call);
    this.#batches.set(hash, hash);
    return { id: hash };
  }

  async #callsStatus(id: string): Promise<unknown> {
    const receipt = await this.#scene.rpc<{ status: Hex } | null>("eth_getTransactionReceipt", this.#batches.get(id));
    if (!receipt) return { status: 100 };
    return { status: 200, receipts: [{ transactionHash: this.#batches.get(id), status: receipt.status }] };
  }
}
