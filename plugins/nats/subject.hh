// Subjects: dot-separated tokens, where `*` stands for one and `>` for all that follow. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nats {

/// True when a message can be published to it: no empty token, no white space, no wildcard.
[[nodiscard]] bool is_publishable(std::string_view subject) noexcept;

/// True when it can be listened to: `*` and `>` are tokens of their own, `>` the last one.
[[nodiscard]] bool is_subscribable(std::string_view subject) noexcept;

/// An event's attribute as part of a subject: white space, control characters, `*` and `>` become `_`, so that what a
/// stranger wrote into an event cannot name another place than the template says. Dots stay: they are levels.
void append_token_text(std::string_view value, std::string& out);

/// True when whatever `subject` takes in (it may hold wildcards) is taken in by `wide`, too.
[[nodiscard]] bool covers(std::string_view wide, std::string_view subject) noexcept;

/// The narrowest subject with a wildcard that takes in everything a template can give: what stands in front of its
/// first placeholder, in whole tokens, and `>`. "nlp.{type}.x" gives "nlp.>".
[[nodiscard]] std::string wildcard_of(std::string_view subject_template);

}  // namespace nats
