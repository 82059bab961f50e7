// Every bound that is not in the configuration, and the default of every bound that is. Units are in the names.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice::limits {

// Data path.
inline constexpr std::uint32_t kBatchEvents = 256;          // batch.max_events: events in one batch
inline constexpr std::uint32_t kFloodBatches = 4;           // a pull of a flood holds as many batches
inline constexpr std::uint64_t kFloodShare = 8;             // and at most this part of a queue's events
inline constexpr std::uint64_t kPullBytes = 256 * 1024;     // bytes offered to one pull
inline constexpr std::uint32_t kDerivedPerCall = 64;        // events one consumer may add to a batch of up to 256
inline constexpr std::uint64_t kDerivedBytes = 256 * 1024;  // and their bytes
inline constexpr std::uint32_t kTypes = 256;                // event types counted by name; the rest is "other"
inline constexpr std::uint32_t kTypeNameBytes = 256;        // a longer type is counted as "other"
inline constexpr std::uint32_t kReasonBytes = 1024;         // a reason is cut here

// Events (limits: in the configuration).
inline constexpr std::uint64_t kEventBytes = 1024 * 1024;  // limits.event_bytes
inline constexpr std::uint32_t kNesting = 64;              // limits.nesting: JSON depth inside one event
inline constexpr std::uint32_t kRecordEvents = 10'000;     // limits.batch_events: events in one JSON array
inline constexpr std::uint32_t kAttributes = 256;          // limits.attributes: context attributes of one event

// Delivery.
inline constexpr std::uint64_t kQueueEvents = 8192;                    // delivery.queue.max_events
inline constexpr std::uint64_t kQueueBytes = 16 * 1024 * 1024;         // delivery.queue.max_bytes
inline constexpr std::chrono::milliseconds kPublishDeadline{120'000};  // delivery.publish_deadline
inline constexpr std::chrono::milliseconds kAwayBackoffMin{100};
inline constexpr std::chrono::milliseconds kAwayBackoffMax{5'000};
inline constexpr std::uint64_t kOrderingHeld = 10'000;  // delivery.ordering.max_held

// Duplicates.
inline constexpr std::chrono::hours kDedupTtl{24};         // dedup.ttl
inline constexpr std::uint64_t kDedupKeys = 1'000'000;     // dedup.max_keys
inline constexpr std::uint32_t kDedupPointers = 16;        // parts of one business key
inline constexpr std::uint64_t kDedupUnrecorded = 65'536;  // delivered keys that wait for their store; then no pull
inline constexpr std::chrono::milliseconds kKeyStoreTimeout{2'000};  // of one question to a store

// Spool.
inline constexpr std::uint64_t kSpoolBytes = 1024ull * 1024 * 1024;         // delivery.spool.max_bytes
inline constexpr std::uint64_t kObserverQueueBytes = 256ull * 1024 * 1024;  // max_bytes of an observer's durable queue
inline constexpr std::uint64_t kSpoolSegmentBytes = 64ull * 1024 * 1024;    // delivery.spool.segment_bytes
inline constexpr std::uint64_t kSpoolWaitingEvents = 32'768;                // events that wait for their sync
inline constexpr std::uint64_t kSpoolWaitingBytes = 16 * 1024 * 1024;       // and their bytes
inline constexpr std::uint64_t kSpoolRunsInHand = 64;                       // written runs kept for a backend that lags
inline constexpr std::uint64_t kObserverHandedOn = 512;                     // events an observer is given from memory
inline constexpr std::uint64_t kObserverEnds = 3;                           // times that a process may end on one event
inline constexpr std::size_t kWantedTypes = 4096;                           // patterns of an observer
inline constexpr std::uint64_t kSpoolAgain = 1024;                          // records that wait to be offered again
inline constexpr std::chrono::milliseconds kSpoolCursorInterval{100};       // between writes of the cursor
inline constexpr std::chrono::milliseconds kSpoolDiskRetry{1'000};          // after the disk refused
inline constexpr std::uint32_t kSpoolFinishTries = 5;                       // to put the books in order at the end

// Life cycle.
inline constexpr std::chrono::milliseconds kDrainDeadline{10'000};  // drain_deadline
inline constexpr std::chrono::milliseconds kStartTimeout{5'000};
inline constexpr std::chrono::milliseconds kSwapWait{5'000};  // of a reload, for what a backend has under way

// Plugins.
inline constexpr std::uint32_t kErrorBytes = 1024;
inline constexpr std::uint32_t kSeriesPerNode = 1000;

}  // namespace sluice::limits
