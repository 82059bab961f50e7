// nats.c's objects with an owner, its errors as texts, and the options that every connection shares. This file alone
// includes the library.
#pragma once

#include "options.hh"

#include <nats/nats.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace nats {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* what) const noexcept {
    Free(what);
  }
};
using OptionsHandle = std::unique_ptr<natsOptions, Freed<natsOptions_Destroy>>;
using ConnectionHandle = std::unique_ptr<natsConnection, Freed<natsConnection_Destroy>>;
using SubscriptionHandle = std::unique_ptr<natsSubscription, Freed<natsSubscription_Destroy>>;
using JetStream = std::unique_ptr<jsCtx, Freed<jsCtx_Destroy>>;
using StreamInfo = std::unique_ptr<jsStreamInfo, Freed<jsStreamInfo_Destroy>>;
using ConsumerInfo = std::unique_ptr<jsConsumerInfo, Freed<jsConsumerInfo_Destroy>>;

inline std::string_view text(const char* ptr) noexcept { return ptr == nullptr ? std::string_view() : ptr; }
/// The status in words, with the library's own detail when it has one.
[[nodiscard]] std::string words(natsStatus status);
/// Throws Away, in these words, for anything but NATS_OK.
void set(natsStatus status, const char* what);

/// Options that every connection shares. Files that cannot be read say so here.
[[nodiscard]] OptionsHandle make_options(const Address& address, std::chrono::milliseconds timeout);
[[noreturn]] void cannot_connect(const Address& address, natsStatus status);

}  // namespace nats
