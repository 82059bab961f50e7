// A message as a mail: its headers, and its text and HTML. Pure.
#pragma once

#include "alert.hh"

#include <string>
#include <string_view>
#include <vector>

namespace alerting {

struct Mailbox {
  std::string name, address;
};
/// "Name <address>" or an address; throws sluice::BadConfig, with the key in front.
[[nodiscard]] Mailbox mailbox_from(const std::string& key, const std::string& text);

struct Mail {
  std::vector<std::string> headers;
  std::string text, html;
};
/// The first message of a group begins a thread, the later ones answer it. A message that is sent again, because its
/// answer got lost, has the same Message-ID.
[[nodiscard]] Mail mail_from(const Message& message, const Mailbox& from, const Mailbox& to,
                             const std::string& subject_prefix);

/// RFC 2047: as it is when it is ASCII, else in encoded words, cut between characters.
[[nodiscard]] std::string encoded_words(std::string_view text);

}  // namespace alerting
