"""What peers' keepers did wrong, planted in ours: the first table of ``docs/proof/keeper-faults.md``."""

from __future__ import annotations

from typing import Final

from tests.faults.proof.plant import Change, Plant

TRANSACTIONS: Final = "tests/faults/test_transactions.py"
KEEPERS: Final = "tests/faults/test_keepers.py"
CHAINS: Final = "tests/faults/test_chains.py"
PENDING: Final = "tests/python/transact/test_pending.py"
SUBMIT: Final = "tests/python/transact/test_submit.py"
STALLS: Final = "tests/faults/test_stalls.py"
NODES: Final = f"{STALLS}::test_nodes__have_different_blocks__nothing_is_sent_until_they_agree"
DUTY: Final = f"{STALLS}::test_duty__fails_in_every_pass__health_is_false_and_the_others_go_on"

PLANTS: Final = (
    Plant(
        "a retry with a new nonce sends twice",
        "a pending intent that is wanted again gets a nonce of its own",
        (
            f"{TRANSACTIONS}::test_process__killed_while_it_sends__nothing_is_lost_or_sent_twice"
            "[before the node has it]",
            "tests/python/transact/test_restart.py::test_restart__killed_at_every_state__effect_once[after-send-1]",
        ),
        (
            Change(
                "transact/desk.py",
                "if entry.state in (*PENDING, State.ORPHANED, State.DROPPED) or (mined and not is_repeatable):",
                "if mined and not is_repeatable:",
            ),
            Change(
                "transact/plan.py",
                "same = next((entry for entry in self._pending.values() if entry.key == transaction.key), None)",
                "same = None\n"
                "        for entry in [e for e in self._pending.values() if e.key == transaction.key and e.row_id]:\n"
                '            self._let_go(self._pending.pop(entry.nonce), State.REPLACED, "tried again")',
            ),
        ),
    ),
    Plant(
        "stuck transactions, nonce gaps",
        "a replacement pays one wei more",
        (
            f"{PENDING}::test_advance__passed_by__is_replaced_above_the_minimum_bump",
            "tests/python/keeper/test_unstick.py::test_unstick__pending__is_replaced_at_a_higher_fee_and_lands_once",
            f"{TRANSACTIONS}::test_fee__base_fee_passes_what_was_bid__is_replaced_at_its_nonce_and_lands_once",
        ),
        (
            Change(
                "transact/fees.py", "return fee_wei + -(-fee_wei * policy.bump_bps // BPS) + 1", "return fee_wei + 1"
            ),
            Change(
                "transact/fees.py",
                "max_wei, tip_wei = max(max_wei, opening.max_wei), max(tip_wei, opening.tip_wei)",
                "pass",
            ),
        ),
    ),
    Plant(
        "stuck transactions, nonce gaps",
        "a gap of nonces stays",
        (f"{PENDING}::test_advance__nonce_freed_below_others__is_filled_by_an_empty_transfer",),
        (
            Change(
                "transact/pursue.py",
                "return [nonce for nonce in missing if nonce >= sighting.ground.queued]",
                "return []",
            ),
        ),
    ),
    Plant(
        "auctions behind what is less urgent",
        "one key sends everything",
        (f"{TRANSACTIONS}::test_signer__without_money__is_an_alert_and_others_go_on",),
        (Change("keeper/opening.py", 'performers.get("prices", urgent)', "urgent"),),
    ),
    Plant(
        "newer prices behind older ones",
        "every round gets a nonce of its own",
        (f"{CHAINS}::test_mining__stopped_while_rounds_come__a_newer_one_takes_the_nonce_of_an_older",),
        (Change("keeper/performer.py", ", replaces=post.group)", ")"),),
    ),
    Plant(
        "a loop of reverts drains the purse",
        "what reverts when mined is not counted",
        (
            f"{TRANSACTIONS}::test_reverts__in_a_loop__stop_at_the_budget_and_others_go_on",
            f"{SUBMIT}::test_submit__reverts_when_mined__spend_the_budgets_of_key_and_account",
        ),
        (
            Change(
                "transact/transactor.py",
                "await asyncio.to_thread(context.budget.note, entry.transaction, Failure.MINED, reason, head.ts)",
                "pass",
            ),
        ),
    ),
    Plant(
        "a loop of reverts drains the purse",
        "a day has no limit",
        (
            f"{TRANSACTIONS}::test_reverts__in_a_loop__cost_no_more_than_a_day_may",
            f"{SUBMIT}::test_submit__day_spent__is_refused_also_after_a_restart",
        ),
        (Change("transact/plan.py", "if cap_wei is not None and needed_wei > cap_wei:", "if False:"),),
    ),
    Plant(
        "nodes that are stale or disagree",
        "the first node is believed",
        (
            NODES,
            "tests/python/chain/test_endpoints.py::test_head__halves_disagree__is_an_error_after_the_wait_and_not_before",
        ),
        (Change("chain/endpoints.py", "if len(best) < self.quorum:", "if not best:"),),
    ),
    Plant(
        "nodes that are stale or disagree",
        "health asks for passes alone",
        (
            NODES,
            "tests/python/keeper/test_health.py::test_health__no_head_agreed_on__is_false_although_passes_count",
        ),
        (
            Change(
                "keeper/health.py",
                "problems = [*self._late_duties(), *self._late_head(), *self._late_index()]",
                "problems = [*self._late_duties()]",
            ),
        ),
    ),
    Plant(
        "reorganisations",
        "what was mined once stays done",
        (f"{TRANSACTIONS}::test_reorganisation__takes_auction_and_call_back__both_are_sent_again",),
        (Change("transact/follow.py", "    _reopen(step, sighting.gone, signer)\n", ""),),
    ),
    Plant(
        "reorganisations",
        "the index keeps the events of blocks that went",
        (f"{TRANSACTIONS}::test_reorganisation__takes_the_crash_back__nobody_is_liquidated",),
        (
            Change(
                "index/follow.py",
                "        await self._write(Step(fork, drop_above=fork.number))\n"
                "        self._ledger.roll_back(fork.number, fork.ts)\n",
                "        await self._write(Step(fork, drop_above=fork.number))\n",
            ),
        ),
    ),
    Plant(
        "silent stalls",
        "health asks whether anything was done at all",
        (DUTY, "tests/python/keeper/test_health.py::test_health__one_duty_without_a_pass__is_false_and_names_it"),
        (
            Change(
                "keeper/health.py",
                "elif now - moment > section.duty_sec:",
                "elif now - max(filter(None, self._passes.values())) > section.duty_sec:",
            ),
        ),
    ),
    Plant(
        "silent stalls",
        "a duty that broke off counts as done",
        (
            DUTY,
            "tests/python/keeper/test_watchman.py::test_reported__duty_that_ended_on_the_way__is_no_pass_of_it",
        ),
        (Change("keeper/watchman.py", "if not report.is_broken:", "if True:"),),
    ),
    Plant(
        "done by another keeper is success",
        "what another one did is a failure",
        (f"{KEEPERS}::test_keepers__two_keys_and_two_databases__what_the_other_did_is_done",),
        (Change("transact/simulate.py", "done = answer.name in transaction.already_done", "done = False"),),
    ),
    Plant(
        "a hot standby",
        "the lease is never taken from anybody",
        (
            f"{KEEPERS}::test_standby__leader_killed__takes_over_and_sends_nothing_twice",
            f"{KEEPERS}::test_standby__leader_killed_in_the_crash__the_standby_attends",
        ),
        (
            Change(
                "keeper/lease.py",
                "        if token is None:\n            return\n        if self._is_over:",
                "        if token is None or row is not None:\n            return\n        if self._is_over:",
            ),
        ),
    ),
    Plant(
        "a hot standby",
        "a transaction may be silent for ever",
        (
            "tests/python/keeper/test_lease_processes.py::"
            "test_leader__stopped_while_it_holds_the_row__the_standby_takes_over",
        ),
        (
            Change(
                "storage/engine.py",
                """f"SET idle_in_transaction_session_timeout = '{SILENT_SEC}s'\"""",
                """f"SET idle_in_transaction_session_timeout = '{0 * SILENT_SEC}s'\"""",
            ),
        ),
    ),
    Plant(
        "a hot standby",
        "an index writes over what another one wrote",
        (
            "tests/python/index/test_shared_database.py::test_sync__two_indexes_take_turns__both_and_the_database_are_the_chain",
        ),
        (
            Change(
                "index/archive.py",
                'if (cursors.get("base", mine.base), cursors.get("head", mine.head)) != (mine.base, mine.head):',
                "if False:",
            ),
        ),
    ),
    Plant(
        "a dry run",
        "a dry run sends",
        ("tests/python/keeper/test_runner.py::test_run__dry_run__says_what_it_would_do_and_sends_nothing",),
        (Change("keeper/performer.py", "if not self._is_dry:", "if True:"),),
    ),
    Plant(
        "keys in files, logs, lists of processes",
        "lines of the log are written as they come",
        ("tests/python/keeper/test_logs.py::test_logs__every_way_a_secret_could_get_in__shows_none",),
        (
            Change(
                "keeper/logs.py",
                "return {self._redactor.text(key): _plain(self._redactor.value(event[key], key)) for key in event}",
                "return {key: _plain(event[key]) for key in event}",
            ),
        ),
    ),
    Plant(
        "keys in files, logs, lists of processes",
        "a secret in the file is taken",
        (
            "tests/python/keeper/test_keeper_config.py::test_load__secret_in_the_file__is_refused_by_name_and_never_shown",
        ),
        (Change("keeper/config/load.py", "    refuse_secrets(tree, str(path))\n", ""),),
    ),
)
