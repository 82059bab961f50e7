// `sluice event check`, `match` and `eval`: is this a CloudEvent, would this filter pass it, what is this expression of
// it?
#pragma once

#include <iosfwd>
#include <string>

namespace sluice {

struct EventCheckOptions {
  enum class Input { lines, one, batch } input = Input::lines;
};

/// Reads events from `in` and writes one JSON line of answer for each to `out`:
///   {"line":1,"valid":true}
///   {"line":2,"valid":false,"code":"missing_required","reason":"…"}
/// Input::one and Input::batch take the whole input as one event or one JSON batch, with one answer for line 1. A blank
/// line is no event: it gets no answer but counts in the numbers, so that they are the editor's. Returns the exit code:
/// 0 when everything was valid, 1 otherwise. Nothing at all to check is valid line by line, and invalid as a whole.
[[nodiscard]] int run_event_check(const EventCheckOptions& options, std::istream& in, std::ostream& out);

struct EventMatchOptions {
  std::string filter;  // JSON: a filter object, or an array of them
};

/// Writes `true` or `false` for each event of `in`, one a line; blank lines are passed over. A line that is no event
/// cannot pass: it is `false`, and `err` says why, with its number. Returns 0, or 64 with the reason in `err` when the
/// filter must be refused.
[[nodiscard]] int run_event_match(const EventMatchOptions& options, std::istream& in, std::ostream& out,
                                  std::ostream& err);

struct EventEvalOptions {
  std::string sql;  // a CESQL expression
};

/// Writes {"value":…,"errors":[…]} for each event of `in`: what the expression is there, and the kinds of its errors
/// ("math", "cast", "missingFunction", "functionEvaluation", "missingAttribute", "generic"). Lines that are no event as
/// for run_event_match(): "value" is false, with a "generic" error. Returns 0, or 64 when it is no expression.
[[nodiscard]] int run_event_eval(const EventEvalOptions& options, std::istream& in, std::ostream& out,
                                 std::ostream& err);

}  // namespace sluice
