"""What the first keeper did, planted in the one of now: the second table of ``docs/proof/keeper-faults.md``."""

from __future__ import annotations

from typing import Final

from tests.faults.proof.plant import Change, Plant

ANSWERS: Final = "tests/faults/test_answers.py"
CHAINS: Final = "tests/faults/test_chains.py"
KEEPERS: Final = "tests/faults/test_keepers.py"
MARKET: Final = "tests/faults/test_market.py"
PROCESS: Final = "tests/faults/test_process.py"
SETTLEMENTS: Final = "tests/faults/test_settlements.py"
TRANSACTIONS: Final = "tests/faults/test_transactions.py"
FEEDS: Final = "tests/python/feeds"
NODE_FAULT: Final = f"{ANSWERS}::test_node__fault__everybody_is_attended_and_nothing_sent_twice"
VENUE: Final = f"{MARKET}::test_venue__busy_and_with_one_bad_row__its_rounds_are_posted"
BROKEN: Final = f"{MARKET}::test_feed__broken__prices_of_others_are_liquidated_by"
WILD: Final = f"{MARKET}::test_feed__wild_price_of_one_source__is_not_posted_and_nobody_is_hurt"
SHAPES: Final = "`null`, no result, `[]`, short batches, errors in a batch, no batches, limits, 429, -32005"

PLANTS: Final = (
    Plant(
        "one log answer behind the head",
        "logs count without headers, blooms and receipts",
        (f"{NODE_FAULT}[one eth_getLogs answer behind the head]", f"{NODE_FAULT}[one log left out of one answer]"),
        (
            Change("index/fetch.py", "missing, whole = self._proof.suspects(headers, logs)", "missing, whole = [], []"),
            # What a later comparison with the chain's views would mend.
            Change("keeper/runner.py", "    watchman.checked(await parts.verifier.check())\n", ""),
        ),
    ),
    Plant(
        "reorganisation of a settlement price",
        "holders are settled on a price that is not final",
        (
            f"{SETTLEMENTS}::test_settlement__price_is_reorganised_away__"
            "it_is_posted_again_and_nobody_settled_before_it_was_final",
        ),
        (
            Change(
                "keeper/lookout.py",
                'settled = set(state.settled) - self._index.ledger.changed_since_final("settled")',
                "settled = set(state.settled)",
            ),
        ),
    ),
    Plant(
        "an expired series without samples",
        "nobody is margined while a series waits for its price",
        (f"{MARKET}::test_series__expired_without_samples__others_are_liquidated",),
        (
            Change(
                "keeper/lookout.py",
                "dead = dead_ids(self._holdings, sources) | waiting",
                "dead = dead_ids(self._holdings, sources) | (set(state.accounts) if waiting else set())",
            ),
        ),
    ),
    Plant(
        "one round stale or refused",
        "nobody is margined while a round is stale",
        (f"{MARKET}::test_round__of_one_underlying_stale__others_are_liquidated",),
        (
            Change(
                "keeper/lookout.py",
                "dead = dead_ids(self._holdings, sources) | waiting",
                "dead = waiting | (set(state.accounts) if sources.underlyings else set())",
            ),
        ),
    ),
    Plant(
        "one signer missing",
        "every signer must sign",
        (f"{MARKET}::test_signer__service_missing__quorum_of_the_others_posts",),
        (Change("feeds/signer_client.py", "needed = await self._needed()", "needed = len(self._signers)"),),
    ),
    Plant(
        "feed down or garbage",
        "what a feed meets ends the pass",
        (f"{BROKEN}[down]", f"{BROKEN}[NaN]"),
        (
            Change(
                "keeper/roster.py",
                "return tuple(await asyncio.gather(*(_guarded(name, duty, look) for name, duty in self._wanted())))",
                "reports = []\n"
                "        for name, duty in sorted(self._wanted(), key=lambda found: found[0] != 'prices'):\n"
                "            reports.append(await _guarded(name, duty, look))\n"
                "            if name == 'prices' and reports[-1].problems:\n"
                "                break\n"
                "        return tuple(reports)",
            ),
        ),
    ),
    Plant(
        "rows of governance's own",
        "rows that the mirror does not know margin nobody",
        (f"{MARKET}::test_governance__stores_rows_of_its_own__accounts_are_margined_by_them",),
        (
            Change(
                "protocol/parameters.py",
                "        books[symbol] = spec_of(there.rows)\n",
                "        books[symbol] = spec_of(there.rows)\n"
                "        if books[symbol] != BookSpec():\n"
                "            from plimsoll.errors import DomainError\n\n"
                '            raise DomainError("rows", "are none of this book")\n',
            ),
            Change(
                "keeper/accounts.py",
                "if number >= FIRST_USER_ACCOUNT and (account.words or account.cash_wad < 0)",
                "if False",
            ),
        ),
    ),
    Plant(
        "one lost send",
        "what a node has taken once is not sent again",
        (f"{NODE_FAULT}[one lost send]",),
        (
            Change(
                "transact/pursue.py",
                "elif entry.state is State.PLANNED or entry.hashes[-1] not in sighting.known:",
                "elif entry.state is State.PLANNED:",
            ),
        ),
    ),
    Plant(
        "quiet chain",
        "a head of two minutes ago is too old to act on",
        (
            f"{ANSWERS}::test_chain__without_blocks_for_two_minutes__is_no_stall",
            f"{ANSWERS}::test_chain__quiet_before_the_crash__is_acted_on",
        ),
        (Change("transact/policy.py", "max_head_age_sec: int | None = None", "max_head_age_sec: int | None = 120"),),
    ),
    Plant(
        SHAPES,
        "an answer of another shape is a defect that ends the process",
        (
            f"{NODE_FAULT}[the answer is null, 5 times]",
            f"{NODE_FAULT}[no result, 10 times]",
            f"{NODE_FAULT}[the answer is [], 5 times]",
            f"{NODE_FAULT}[short batches, 5 times]",
        ),
        (
            Change(
                "chain/node.py",
                'raise NodeProblem(self.url, "a batch was answered by neither a list nor an error", "malformed")',
                'raise SystemExit("neither a list nor an error")',
            ),
            Change(
                "chain/node.py",
                'raise NodeProblem(self.url, f"{method}: the answer is no object", "malformed")',
                'raise SystemExit("no object")',
            ),
            Change(
                "chain/node.py",
                'return NodeProblem(self.url, f"{method}: the answer has neither result nor error", "malformed")',
                'raise SystemExit("neither result nor error")',
            ),
            Change(
                "chain/node.py",
                '            raise NodeProblem(self.url, text, "malformed")\n        return [found',
                "            raise SystemExit(text)\n        return [found",
            ),
        ),
    ),
    Plant(
        SHAPES,
        "one error fails the whole batch",
        (f"{NODE_FAULT}[errors inside batches, 10 times]",),
        (
            Change(
                "chain/node.py",
                "            found[number] = self._unwrap(methods[number], answer)\n",
                "            found[number] = self._unwrap(methods[number], answer)\n"
                "            if isinstance(found[number], NodeProblem):\n"
                "                raise SystemExit(str(found[number]))\n",
            ),
        ),
    ),
    Plant(
        SHAPES,
        "batches are never cut",
        (f"{NODE_FAULT}[no batches at all]", f"{NODE_FAULT}[batches of one at most]"),
        (
            Change(
                "chain/node.py",
                "self.batch_size = max(1, min(self.batch_size, len(requests)) // 2) if limited else 1",
                "raise whole",
            ),
        ),
    ),
    Plant(
        SHAPES,
        "ranges of logs are never cut",
        (
            "tests/python/index/test_node_faults.py::test_sync__fault__index_equals_chain[range of two blocks-final]",
            "tests/python/index/test_node_faults.py::test_sync__fault__index_equals_chain[two logs at most-final]",
        ),
        (
            Change(
                "index/fetch.py",
                'if problem.kind == "limit" and problem.retry_after_sec is None and shorten():',
                "if False:",
            ),
        ),
    ),
    Plant(
        SHAPES,
        "a limit of a provider ends the process",
        (f"{NODE_FAULT}[HTTP 429, 6 times]", f"{NODE_FAULT}[-32005 of everything, 10 times]"),
        (
            Change("chain/node.py", 'raise NodeProblem(self.url, text, "limit", wait_sec)', "raise SystemExit(text)"),
            Change("chain/problem.py", '        return "limit"\n', "        raise SystemExit(text)\n"),
        ),
    ),
    Plant(
        "node away at the start, and for 52 s",
        "a node without an answer at the start is a traceback",
        (f"{PROCESS}::test_node__away_at_the_start__is_one_line_and_code_3",),
        (Change("chain/endpoints.py", "class HeadError(UnavailableError):", "class HeadError(Exception):"),),
    ),
    Plant(
        "node away at the start, and for 52 s",
        "a pass that fails ends the process",
        (f"{PROCESS}::test_node__away_for_52_s_in_the_crash__is_outlived",),
        (
            Change(
                "keeper/runner.py",
                '            watchman.failed("pass", str(problem))\n',
                '            watchman.failed("pass", str(problem))\n            raise\n',
            ),
        ),
    ),
    Plant(
        "kill -9",
        "a journalled transaction is sent again only after 24 blocks",
        (
            f"{TRANSACTIONS}::test_process__killed_while_it_sends__nothing_is_lost_or_sent_twice"
            "[before the node has it]",
            "tests/python/transact/test_restart.py::"
            "test_restart__lost_transaction_in_the_journal__is_sent_before_anything_is_asked",
        ),
        (
            Change(
                "transact/transactor.py",
                "        await self.pusher.send_again(entries, head)\n        return len(entries)",
                "        return len(entries)",
            ),
            Change(
                "transact/pursue.py",
                "elif entry.state is State.PLANNED or entry.hashes[-1] not in sighting.known:",
                "elif entry.hashes[-1] not in sighting.known and head_number - entry.planned_block >= 24:",
            ),
        ),
    ),
    Plant(
        "kill -9",
        "a killed keeper holds its lease for ten minutes",
        (
            "tests/python/keeper/test_lease_processes.py::"
            "test_standby__leader_killed__takes_over_after_expiry_and_delay",
        ),
        (
            Change(
                "keeper/lease.py",
                "(self._table.acquire, str(self._me), section.lease_sec, self._delay(row), forced)",
                "(self._table.acquire, str(self._me), 600.0, self._delay(row), None)",
            ),
            Change(
                "keeper/lease.py",
                "is_ours = await self._ask(self._table.renew, str(self._me), token, self._section.lease_sec)",
                "is_ours = await self._ask(self._table.renew, str(self._me), token, 600.0)",
            ),
        ),
    ),
    Plant(
        "estimates above 16.7 M gas",
        "a batch may cost what it likes",
        (f"{SETTLEMENTS}::test_settlement__batch_above_what_a_transaction_may_use__is_cut",),
        (Change("keeper/sizing.py", "MAX_BATCH_GAS: Final = 13_500_000", "MAX_BATCH_GAS: Final = 135_000_000"),),
    ),
    Plant(
        "estimates above 16.7 M gas",
        "the margin is taken above what a transaction may use",
        ("tests/python/transact/test_submit.py::test_submit__margin_above_the_cap__is_sent_at_the_cap",),
        (
            Change(
                "transact/policy.py",
                "return min(estimate * self.gas_margin_bps // BPS, self.max_gas)",
                "return estimate * self.gas_margin_bps // BPS",
            ),
        ),
    ),
    Plant(
        "every send refused",
        "a signer that was refused for lack of funds stays silent",
        (f"{TRANSACTIONS}::test_node__refuses_every_send__all_are_sent_when_it_takes_them",),
        (Change("transact/context.py", "if time.monotonic() - self.starved_sec > STARVED_SEC:", "if False:"),),
    ),
    Plant(
        "receipts invisible",
        "a used nonce without a receipt is lost at once, and its intent is sent again",
        (f"{NODE_FAULT}[receipts invisible 20 times]",),
        (
            Change(
                "transact/transactor.py",
                "if nonce < sighting.used_deep and now_sec - since_sec >= self.context.policy.lost_sec",
                "if now_sec - since_sec >= 0.0",
            ),
        ),
    ),
    Plant(
        "reverts without data, estimates out of gas",
        "what a simulation does not know aborts the pass",
        (f"{ANSWERS}::test_simulation__of_a_start_cannot_be_run__the_call_is_made_all_the_same",),
        (
            Change("chain/problem.py", 'return RevertError(method, "no data")', "raise RuntimeError(text)"),
            Change(
                "chain/problem.py",
                '    if isinstance(data, str) and data.startswith("0x"):\n',
                '    if data == "0x":\n        raise RuntimeError(text)\n'
                '    if isinstance(data, str) and data.startswith("0x"):\n',
            ),
            Change(
                "transact/simulate.py",
                "return Simulation(key, Result.TOO_MUCH_GAS, problem.message)",
                "raise RuntimeError(problem.message)",
            ),
        ),
    ),
    Plant(
        "restart inside a settlement window, start 1,200 s before its end",
        "samples live in memory",
        (f"{SETTLEMENTS}::test_settlement__restart_inside_the_window__samples_are_kept",),
        (
            Change(
                "feeds/samples.py",
                "        self._last: dict[str, Sample] = {}\n",
                "        self._last: dict[str, Sample] = {}\n"
                "        with writing(engine) as connection:\n"
                "            connection.execute(delete(SAMPLES))\n",
            ),
        ),
    ),
    Plant(
        "restart inside a settlement window, start 1,200 s before its end",
        "the venue's history is not asked for",
        (
            f"{FEEDS}/test_settlement.py::test_window_samples__started_1200_s_before_the_expiry__is_filled_by_the_venues_history",
        ),
        (
            Change(
                "feeds/window_samples.py",
                "history = await asyncio.wait_for(self.source.samples(underlying, expiry_ts), self.timeout_sec)",
                "history = ()",
            ),
        ),
    ),
    Plant(
        "no command posts samples by hand",
        "samples that a person gives are not signed",
        (
            f"{SETTLEMENTS}::test_settlement__nobody_has_samples__a_person_gives_a_price_and_the_keeper_settles_on_it",
            f"{FEEDS}/test_commands.py::test_feed_settle__one_price_by_hand__settles_the_series",
        ),
        (
            Change(
                "feeds/by_hand.py",
                "made = await settle_by_hand(connection.messages, quorum, *series, samples)",
                "made = await settle_by_hand(connection.messages, quorum, *series, ())",
            ),
        ),
    ),
    Plant(
        "wrapped tokens at spot, cash at par",
        "a wrapped token is signed at spot",
        (f"{FEEDS}/test_wrapped_token.py::test_posts__wrapped_token__is_signed_at_its_rate_and_not_at_spot",),
        (
            Change(
                "feeds/tokens.py",
                'return Price(spot.ts, spot.value * token.rate), ""',
                'return Price(spot.ts, spot.value), ""',
            ),
        ),
    ),
    Plant(
        "wrapped tokens at spot, cash at par",
        "cash without a market is signed at par",
        (f"{FEEDS}/test_tokens.py::test_price_tokens__cash_without_a_market__is_skipped_and_never_par",),
        (
            Change(
                "feeds/tokens.py",
                'return None, "and cash is never taken at par"',
                'return Price(min((r.ts for r in reading.rounds.values()), default=1_770_000_000), 1.0), ""',
            ),
        ),
    ),
    Plant(
        "one bad row of a venue, its codes, HTTP 520",
        "one bad row refuses the whole answer",
        (VENUE, f"{FEEDS}/test_live_sources.py::test_deribit__one_bad_row__drops_that_row_alone"),
        (
            Change(
                "market/chain_rows.py",
                "        self.dropped.append((name, reason))\n",
                '        raise ValueError(f"{name}: {reason}")\n',
            ),
        ),
    ),
    Plant(
        "one bad row of a venue, its codes, HTTP 520",
        "a busy venue is not asked again",
        (VENUE, f"{FEEDS}/test_live_sources.py::test_deribit__busy_venue__is_asked_again"),
        (Change("feeds/web.py", "stop=stop_after_attempt(self._attempts),", "stop=stop_after_attempt(1),"),),
    ),
    Plant(
        "a chain without base fee",
        "without a base fee the price is 0",
        (f"{CHAINS}::test_chain__without_base_fee__everybody_is_attended_by_legacy_transactions",),
        (
            Change(
                "transact/fees.py",
                "price_wei = max(self.price_wei, policy.min_tip_wei)",
                "price_wei = 0",
            ),
        ),
    ),
    Plant(
        "a token listed later",
        "a name that the record does not have is a KeyError",
        (f"{CHAINS}::test_token__listed_after_the_deployment__stops_nobody",),
        (
            Change(
                "keeper/sources.py",
                "later = (set(state.terms) | set(state.token_prices)) - tokens",
                "later = {{record.token_id: 0 for record in deployment.tokens.values()}[n] for n in state.terms}",
            ),
        ),
    ),
    Plant(
        "a reorganisation of what was mined",
        "a transaction is final when it is mined",
        (f"{TRANSACTIONS}::test_reorganisation__takes_auction_and_call_back__both_are_sent_again[12]",),
        (
            Change(
                "transact/transactor.py",
                "            return head.number - confirmations + 1\n",
                "            return head.number\n",
            ),
        ),
    ),
    Plant(
        "an account short of margin is not called",
        "nobody is called",
        (f"{NODE_FAULT}[none]",),
        (
            Change(
                "decide/margin_calls.py",
                "return account.is_short and not account.is_auctionable",
                "return False",
            ),
        ),
    ),
    Plant(
        "spot or forward at three times spot",
        "a jump of one source is believed",
        (f"{WILD}[spot at three times what it was]", f"{WILD}[spot at a third of what it was]"),
        (Change("feeds/memory.py", "if self.confirm_sec == 0 or name in self._backed or run is None:", "if True:"),),
    ),
    Plant(
        "spot or forward at three times spot",
        "a forward is believed wherever it is",
        (f"{WILD}[forward at three times spot]",),
        (
            Change("feeds/memory.py", "if self.confirm_sec == 0 or name in self._backed or run is None:", "if True:"),
            Change("feeds/round_checks.py", "if abs(moved) > reach:", "if False:"),
            Change("feeds/round_checks.py", "if abs(carry) > CARRY_LIMIT:", "if False:"),
        ),
    ),
    Plant(
        "calendar arbitrage",
        "a later expiry may be cheaper",
        (f"{MARKET}::test_feed__calendar_arbitrage__that_expiry_is_left_out",),
        (Change("feeds/round_checks.py", "if cheaper > CALENDAR_COIN:", "if False:"),),
    ),
    Plant(
        "three rounds while mining stands still",
        "an older round keeps its nonce, and the newer one waits",
        (f"{CHAINS}::test_mining__stopped_while_rounds_come__a_newer_one_takes_the_nonce_of_an_older",),
        (
            Change(
                "transact/plan.py",
                "fees, nonce, replacements = self._takeover_fees(older), older.nonce, older.replacements + 1",
                "fees, nonce, replacements = None, older.nonce, older.replacements + 1",
            ),
        ),
    ),
    Plant(
        "intents named by the time of a block",
        "a start is named by the time of its block",
        (
            f"{TRANSACTIONS}::test_sends__lost_while_blocks_come__are_one_intent_and_not_one_for_each_block",
            "tests/python/decide/test_liquidations.py::"
            "test_decide_liquidations__the_same_effect_later__has_the_same_key[600]",
        ),
        (
            Change(
                "decide/liquidations.py",
                "return StartAuction(number, view.start_counts.get(number, 0)) if account.is_auctionable else None",
                "return StartAuction(number, view.block_ts) if account.is_auctionable else None",
            ),
        ),
    ),
    Plant(
        "33,000 holders of perpetuals",
        "all whose cash moves by time are taken in every pass",
        ("tests/python/keeper/test_kept_margins.py::test_take__cash_that_moves_by_time__is_taken_again_and_in_turns",),
        (
            Change(
                "keeper/accounts.py", "oldest = islice(self._accruing.items(), share)", "return list(self._accruing)"
            ),
        ),
    ),
    Plant(
        "two keepers with two keys",
        "a transaction that came too late is a failure",
        (f"{KEEPERS}::test_keepers__two_keys_and_two_databases__what_the_other_did_is_done",),
        (
            Change(
                "transact/transactor.py",
                "result = Result.ALREADY_DONE if seen.result is Result.ALREADY_DONE else Result.REVERTED",
                "result = Result.REVERTED",
            ),
        ),
    ),
    Plant(
        "an artefact with two ids swapped",
        "the artefact is believed",
        (f"{PROCESS}::test_artefact__two_ids_swapped__is_refused_before_anything_is_sent",),
        (
            Change(
                "keeper/opening.py",
                "        await check_artefact(endpoints.node_at(head), deployment, head)\n",
                "",
            ),
        ),
    ),
    Plant(
        "SIGTERM, SIGINT",
        "no handler of signals",
        (f"{PROCESS}::test_process__told_to_stop__ends_with_0",),
        (
            Change(
                "keeper/shutdown.py",
                "        for number in SIGNALS:\n            signal.signal(number, self._on_signal)\n",
                "",
            ),
        ),
    ),
    Plant(
        "no replay feed on the command line",
        "a file is no source",
        (
            "tests/python/keeper/test_runner_prices.py::test_prices__file__are_posted_once_and_a_second_pass_posts_nothing",
        ),
        (
            Change(
                "feeds/sources.py",
                '    if spec.startswith("file:"):\n        return _file(spec.removeprefix("file:"), clock)\n',
                "",
            ),
        ),
    ),
)
