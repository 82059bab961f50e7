#include "nodes.hh"

#include <cstdio>
#include <cstring>

namespace sluice::sim {

void QuietLog::write(Level level, std::string_view sentence, std::span<const Field> fields) noexcept {
  if (!loud_) return;
  std::fprintf(stderr, "  [%d] %.*s", static_cast<int>(level), static_cast<int>(sentence.size()), sentence.data());
  for (const Field& field : fields) {
    std::fprintf(stderr, " %.*s=%s", static_cast<int>(field.key.size()), field.key.data(), field.value.c_str());
  }
  std::fprintf(stderr, "\n");
}

std::string id_of(const sluice_event& event) {
  std::string id(event.text + event.id.at, event.id.len);
  // Two backends may bury the same event: these are two letters.
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    const sluice_attribute& extension = event.extensions[i];
    if (std::string_view(extension.name.ptr, extension.name.len) == "sluiceerrornode") {
      id += "@" + std::string(extension.value.ptr, extension.value.len);
    }
  }
  return id;
}

// ---- source ----

std::string SimSource::event_json(const std::string& id) {
  static const char* const kTypes[] = {"t.a", "t.b", "t.c"};
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/)" + name_ + R"(","type":")" +
         kTypes[random_.below(3)] + R"(","data":{"n":)" + std::to_string(random_.below(1000)) + R"(,"pad":")" +
         std::string(random_.below(60), 'x') + "\"}}";
}

sluice_status SimSource::pull(sluice_writer& out, std::string& error) {
  if (stopped_) throw Violation("pull() after stop()");
  if (left_ == 0) return SLUICE_END;
  if (random_.below(100) < 10) return SLUICE_AGAIN;
  if (random_.below(1000) < temper_.away) {
    error = "away";
    return SLUICE_AWAY;
  }
  const auto want = 1 + random_.below(std::min<std::uint64_t>(out.cap, 24));
  for (std::uint64_t i = 0; i < want && left_ > 0; ++i) {
    std::vector<std::string> ids;
    std::string text;
    if (random_.below(1000) < temper_.undecodable) {
      text = R"({"specversion":"1.0","id":"broken)";
      --left_;
    } else if (random_.below(1000) < temper_.arrays) {
      const auto many = 1 + random_.below(5);
      text = "[";
      for (std::uint64_t k = 0; k < many && left_ > 0; ++k, --left_) {
        ids.push_back(name_ + "-" + std::to_string(made_++));
        text += (k > 0 ? "," : "") + event_json(ids.back());
      }
      text += "]";
    } else {
      ids.push_back(name_ + "-" + std::to_string(made_++));
      text = event_json(ids.back());
      --left_;
    }
    if (out.bytes_len + text.size() > out.bytes_cap) throw Violation("a pull has no room for its records");
    std::memcpy(out.bytes + out.bytes_len, text.data(), text.size());
    sluice_record* record = SLUICE_RECORD(&out, out.count);
    record->ptr = out.bytes + out.bytes_len;
    record->len = text.size();
    record->tag = oracle_.pulled(name_, std::move(ids));
    out.bytes_len += text.size();
    ++out.count;
  }
  return left_ == 0 && random_.below(2) == 0 ? SLUICE_END : SLUICE_OK;
}

void SimSource::settle(std::span<const sluice_settlement> settlements) {
  for (const sluice_settlement& settlement : settlements) {
    if (in_order_) {
      require(!any_settled_ || settlement.tag > last_tag_, name_ + " was settled out of order");
      last_tag_ = settlement.tag;
      any_settled_ = true;
    }
    oracle_.settled(settlement.tag, settlement.outcome, settlement.code);
  }
}

// ---- backend ----

sluice_status SimBackend::publish(const sluice_batch& batch, std::uint32_t& taken, std::string& error) {
  require(!broken_ || oracle_.is_misbehaving(name_), "publish() to a broken backend");
  require(batch.count > 0, "an empty publish");
  require(batch.ticket >= next_ticket_, "a ticket was used again");
  if (random_.below(1000) < temper_.away) {
    error = "refused";
    return SLUICE_AWAY;
  }
  if (random_.below(20'000) < temper_.crash) {
    broken_ = true;
    error = "crashed";
    return SLUICE_FAILED;
  }
  taken = temper_.partial ? static_cast<std::uint32_t>(random_.below(batch.count + 1)) : batch.count;
  next_ticket_ = batch.ticket + taken;
  if (taken > 0 && random_.below(4) == 0) {  // all of them at once, as a fast backend does
    for (std::uint32_t i = 0; i < taken; ++i) oracle_.delivered(name_, id_of(*SLUICE_EVENT(&batch, i)));
    events_->complete(batch.ticket, taken, nullptr);
    return SLUICE_OK;
  }
  for (std::uint32_t i = 0; i < taken; ++i) {
    const sluice_event* event = SLUICE_EVENT(&batch, i);
    Pending pending{batch.ticket + i, event, id_of(*event), clock_.now_ns() + random_.below(200) * 1'000'000};
    if (random_.below(1000) < temper_.complete_inside) {
      finish(pending);
    } else {
      pending_.push_back(pending);
    }
  }
  return SLUICE_OK;
}

void SimBackend::finish(const Pending& pending) {
  require(id_of(*pending.event) == pending.id,
          "the memory of event " + pending.id + " changed before it was completed");
  sluice_result result{};
  result.size = sizeof result;
  const auto die = random_.below(1000);
  std::uint32_t edge = temper_.again;
  if (die < edge) {
    result.status = SLUICE_AGAIN;
    oracle_.failed_once(name_, pending.id);
    if (random_.below(4) == 0) result.retry_after_ms = 500;
  } else if (die < (edge += temper_.rejected)) {
    result.status = SLUICE_REJECTED;
    oracle_.rejected_once(name_, pending.id);
  } else if (die < (edge += temper_.away)) {
    result.status = SLUICE_AWAY;
  } else if (die < (edge += temper_.timeout)) {
    result.status = SLUICE_TIMEOUT;
    if (random_.below(2) == 0) {
      oracle_.delivered(name_, pending.id);  // it did arrive; nobody knows
    }
    oracle_.doubtful(name_, pending.id);
  } else if (die < (edge += temper_.cancelled)) {
    result.status = SLUICE_CANCELLED;
  } else {
    oracle_.delivered(name_, pending.id);
  }
  events_->complete(pending.ticket, 1, result.status == SLUICE_OK ? nullptr : &result);
  if (random_.below(20'000) < temper_.twice) {
    oracle_.misbehaved(name_);
    events_->complete(pending.ticket, 1, result.status == SLUICE_OK ? nullptr : &result);
    broken_ = true;
  }
}

bool SimBackend::poll(int, std::chrono::milliseconds, std::uint32_t, Status&) {
  for (std::size_t i = 0; i < pending_.size();) {
    if (pending_[i].due_ns > clock_.now_ns()) {
      ++i;
      continue;
    }
    const Pending pending = pending_[i];
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
    finish(pending);
  }
  return true;
}

Status SimBackend::stop(std::chrono::milliseconds) {
  for (const Pending& pending : pending_) {
    require(id_of(*pending.event) == pending.id, "the memory of event " + pending.id + " changed before stop()");
    sluice_result result{};
    result.size = sizeof result;
    result.status = SLUICE_CANCELLED;
    events_->complete(pending.ticket, 1, &result);
  }
  pending_.clear();
  return {};
}

// ---- consumer ----

sluice_status SimConsumer::process(const sluice_batch& in, std::uint8_t* verdict, sluice_writer* out,
                                   std::string& error) {
  sluice_status status = SLUICE_OK;
  made_.clear();
  made_.reserve(in.count);
  for (std::uint32_t i = 0; i < in.count; ++i) {
    const sluice_event* event = SLUICE_EVENT(&in, i);
    require(event->text != nullptr && event->id.len > 0, "a consumer was shown an event without an id");
    if (halted_) {
      verdict[i] = SLUICE_TO_REFUSE;
      continue;
    }
    if (halt_after_ > 0 && ++seen_ == halt_after_) {
      halted_ = true;
      error = "halted by the simulation";
      status = SLUICE_HALT;
      continue;
    }
    const auto die = random_.below(100);
    if (die < 6) {
      verdict[i] = SLUICE_TO_DROP;
      oracle_.dropped(id_of(*event));
    } else if (die < 10)
      verdict[i] = SLUICE_TO_REJECT;
    if (die == 9) events_->explain(i, "the simulation says no");
    if (out != nullptr && die > 92 && out->count < out->cap) {
      made_.push_back(R"({"specversion":"1.0","id":")" + id_of(*event) + "/" + name_ +
                      R"(","source":"/sim","type":"t.derived"})");
      sluice_record* record = SLUICE_RECORD(out, out->count++);
      record->ptr = reinterpret_cast<const std::uint8_t*>(made_.back().data());
      record->len = made_.back().size();
      record->parent = random_.below(4) == 0 ? SLUICE_NO_PARENT : i;
    }
  }
  return status;
}

}  // namespace sluice::sim
