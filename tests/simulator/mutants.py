#!/usr/bin/env python3
"""mutants.py NAME HOST_DIR OUT — writes a copy of one host file with one fault in it; mutants.py --list names them.

Each fault is a mistake that somebody could make. The simulator must catch every one of them within 1,000 seeds, or 40 nights:
that is what shows that it can catch anything at all. A fault whose place is gone fails the build, so the list stays true."""
import sys

COMPLETIONS, OFFER, GIVE_UP = "run/backend_completions.cc", "run/backend_offer.cc", "run/backend_give_up.cc"
SPOOL_WRITE, SPOOL_FEED, SPOOL_LOG = "run/spool_write.cc", "run/spool_feed.cc", "core/spool_log.cc"
SPOOL_READ = "core/spool_read.cc"
LANE, ROUTE, CONSUME, LEDGER = "run/source_lane.cc", "run/source_route.cc", "run/source_consume.cc", "core/ledger.cc"
OBSERVER = "run/observer_lane.cc"
ENGINE, ENGINE_STATE = "../plugins/alerting/groups.cc", "../plugins/alerting/groups_state.cc"
SWAP = "run/backend_swap.cc"
GATE, KEY_ORDER, ORDER = "run/dedup_gate.cc", "core/key_order.cc", "run/backend_order.cc"
MUTANTS = {
    "settle_skipped_on_retry": (COMPLETIONS,
        "    tell(claim_of(run_from), flight.events[run_from].origin, i + 1 - run_from, Outcome::delivered, 0, {});",
        "    if (flight.held.empty())\n      tell(claim_of(run_from), flight.events[run_from].origin, i + 1 - run_from, Outcome::delivered, 0, {});"),
    "memory_freed_early": (OFFER, "  flight.block = run.block;\n", ""),
    "double_completion_accepted": (COMPLETIONS, "    if (!is_done(flight.done, i)) continue;\n", "    continue;\n"),
    "credit_leaked": (COMPLETIONS, "  free_credit(to - from, bytes);\n", "  if (to - from != 3) free_credit(to - from, bytes);\n"),
    "given_up_called_delivered": (GIVE_UP,
        '    tell(claim, event.origin, 1, outcome, code, name_ + ": " + reason);',
        '    tell(claim, event.origin, 1, Outcome::delivered, code, name_ + ": " + reason);'),
    "ticket_used_again": (OFFER, "  next_ticket_ += taken;\n", "  next_ticket_ += taken > 4 ? taken - 1 : taken;\n"),
    "attempts_not_counted": (COMPLETIONS, "      ++claim.attempts;\n      stats_.attempts.add();\n", "      stats_.attempts.add();\n"),
    "expired_forgotten": (OFFER, "      give_up(run.events[i], claim, Outcome::retry, 0, reason);\n    }\n  }\n  const std::string too_late",
        "    }\n  }\n  const std::string too_late"),
    "dead_letter_called_delivered": (GIVE_UP,
        "    tell(letter.claim, letter.origin, 1, Outcome::rejected, letter.code,",
        "    tell(letter.claim, letter.origin, 1, Outcome::delivered, letter.code,"),
    "overflow_called_delivered": (ROUTE, "    contribute(rest, Outcome::retry, SLUICE_CODE_FULL,",
        "    contribute(rest, Outcome::delivered, SLUICE_CODE_FULL,"),
    "dropped_passes": (CONSUME, "    if (judgement.verdicts[i] != port) continue;",
        "    if (judgement.verdicts[i] != port && judgement.verdicts[i] != SLUICE_TO_DROP) continue;"),
    "completions_lost": (LANE,
        "      inbox_.insert(inbox_.end(), std::make_move_iterator(completions.begin()),\n                    std::make_move_iterator(completions.end()));",
        "      inbox_ = std::move(completions);"),
    "order_forgotten": (LEDGER, "  if (!in_order_) hand_over(page, record);", "  hand_over(page, record);\n  record.final = in_order_ ? false : true;"),
    "key_recorded_before_success": (GATE,
        "  return ledger_.outcome_of(record.page, event.origin).outcome == Outcome::delivered;",
        "  return event.origin != kNoOrigin;"),
    "copy_settled_early": (GATE,
        "        ledger_.owe(page, event.origin);\n        in_flight_.join(*key, {page, event.origin});",
        "        ledger_.contribute(page, event.origin, Outcome::delivered, 0, {});"),
    "told_before_the_key_is_recorded": (GATE,
        "  if (gathering_.keys.size() == before) return conclude(record);\n  gathering_.records.push_back(record);",
        "  if (gathering_.keys.size() != before) {\n    store_->record(gathering_.keys);\n    gathering_.keys.clear();\n"
        "    batches_.emplace_back();\n  }\n  conclude(record);"),
    "known_key_handed_over": (GATE, "known_.contains(*key, now_ms) || is_elsewhere(",
        "(shared_ && known_.contains(*key, now_ms)) || is_elsewhere("),
    "order_gate_ignored": (KEY_ORDER, "    if (!keeps_order_ || entry.held || entry.first != kNone || entry.failures != failures_) return false;\n", ""),
    "order_forgotten_by_a_retry": (KEY_ORDER, "    if (!keeps_order_ || entry.held ||", "    if ((!keeps_order_ && !entry.held) ||"),
    "order_of_what_comes_back": (ORDER, "flight.order + index);", "next_order_++);"),
    "swap_uses_what_did_not_start": (SWAP, "  unusable_ = true;\n", ""),
    "swap_does_not_wait_for_go": (SWAP, "  if (swap_->answered() && swap_->go.load(std::memory_order_acquire)) end_swap();",
        "  if (swap_->answered()) end_swap();"),
    "swap_forgets_what_was_taken_back": (SWAP, "  swap.backend_seat->reset();", "  held_.clear();\n  swap.backend_seat->reset();"),
    "page_closed_early": (LEDGER, "  if (event.owed > 0 && !early) return;", "  if (event.owed > 1 && !early) return;"),
    "observers_disk_not_waited_for": (LEDGER, "  if (event.keeping > 0) return;\n", ""),
    "observer_told_before_it_saw": (OBSERVER, "      tell(run, Outcome::retry, error);\n", "      tell(run, Outcome::delivered, {});\n"),
    "spool_settles_before_sync": (SPOOL_WRITE, "    unsynced_events_ += run.count;\n", "    unsynced_events_ += run.count;\n    tell_delivered(run);\n    run.sink = nullptr;\n    freed_events_ -= run.count, freed_bytes_ -= run.bytes;\n"),
    "spool_cursor_ahead": (SPOOL_FEED, "  block->keep_alive(BlockRef(run.block));\n", "  block->keep_alive(BlockRef(run.block));\n  log_.complete(feed_next_, first + run.count);\n"),
    "spool_order_given_up": (COMPLETIONS, "claim.attempts >= delivery_.retry.max_attempts && !keeps_for_order()", "claim.attempts >= delivery_.retry.max_attempts"),
    "spool_retry_completes": (SPOOL_FEED, "  if (completion.outcome == Outcome::retry) {\n", "  if (completion.outcome == Outcome::retry && completion.count > 1) {\n"),
    "spool_rejected_forgotten": (SPOOL_FEED, "    rejected_.push_back({from, to, completion.code, completion.reason});\n    return;\n", ""),
    "spool_numbers_used_again": (SPOOL_READ, "  next_ = std::max(cursor_.end(), segments_.empty() ? 1 : segments_.back().end);\n",
        "  next_ = segments_.empty() ? 1 : segments_.back().end;\n"),
    "spool_failed_sync_ignored": (SPOOL_WRITE, "  if (!answer.ok()) {\n    // All of it", "  if (!answer.ok() && unsynced_.size() > 2) {\n    // All of it"),
    "spool_segment_removed_early": (SPOOL_LOG, "!cursor_.are_completed(segment.first, segment.end)", "!cursor_.is_completed(segment.first)"),
    # Caught by the simulated nights of alerts.
    "night_told_again_after_a_restart": (ENGINE_STATE, "    alert.known = line.number<std::uint64_t>();\n", "    (void)line.number<std::uint64_t>();\n"),
    "night_told_twice_after_a_kill": (ENGINE_STATE, "  if (line.good() && found != groups_.end()) mark(", "  if (line.good() && found == groups_.end()) mark("),
    "night_end_lost_over_a_kill": (ENGINE_STATE, "    if (rule) close(now_ms, *rule, print);\n", ""),
    "night_end_not_told": (ENGINE, "    found->second.resolved_ms = now_ms;\n    found->second.changed = ++changes_;\n", "    found->second.resolved_ms = now_ms;\n"),
    "night_interval_ignored": (ENGINE, "group.sent_ms + settings_.group_interval_ms;\n    if (hurry_) at = 0;", "group.sent_ms;\n    if (hurry_) at = 0;"),
    "night_bucket_ignored": (ENGINE, "      bucket_.take();\n", ""),
    "night_rule_by_number_after_a_reload": (ENGINE_STATE, "    group.rule = *rule;\n", "    group.rule = *rule == 0 ? 0 : *rule - 1;\n"),
    "night_copy_taken_twice": (ENGINE_STATE, "    (void)copy(event);\n    if (rule) add(", "    if (rule) add("),
}


def main():
    if sys.argv[1:] == ["--list"]:
        print(";".join(f"{name}:{fault[0]}" for name, fault in MUTANTS.items()))
        return
    name, host, out = sys.argv[1:]
    path, old, new = MUTANTS[name]
    text = open(f"{host}/{path}", encoding="utf-8").read()
    if text.count(old) != 1:
        sys.exit(f"mutant {name}: its place is there {text.count(old)} times in {path}, not once; mend mutants.py")
    open(out, "w", encoding="utf-8").write(text.replace(old, new))


main()
