// Keys of the state families. The grammar in prose with worked examples: broker/store/FORMAT.md.
// All numbers are big-endian, so that bytewise order is numeric order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/audit/keys.h"
#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "schakel/v1/common.pb.h"

namespace schakel::machine {

// An item's place in its recipient's inbox: position of the command that made it, and its number
// within that command. 10 bytes, in order of arrival.
struct ItemKey {
  uint64_t position = 0;
  uint16_t number = 0;

  Bytes Encode() const;
  static std::optional<ItemKey> Parse(BytesView raw);
  auto operator<=>(const ItemKey&) const = default;
};

// What a timer is for.
enum class TimerKind : uint8_t {
  kLease = 1,         // payload: recipient, item key
  kSignalExpiry = 2,  // payload: sender, signal id; before its end: when it counts as stalled
  kRecheckSubject =
      3,  // payload: u32 epoch, value, cursor: more queued items than one command settles
  kNotifyReaders = 5,  // payload: statement id, cursor: where a command's notices ended, or none
  // 6 was what is kept of a signal for retries: SignalEnd
  kDeniedFlush = 4,  // payload: organisation, reason: a counted record of what was suppressed
  kNoticeEnd = 7,    // payload: recipient, item key
  kForgetFetch = 8,  // payload: recipient, fetch id
};

namespace keys {

// What every log keeps: hot m, records r, tiles t and f, local c.
using audit::keys::Checkpoint;
using audit::keys::Frontier;
using audit::keys::Meta;
using audit::keys::Record;
using audit::keys::Tile;
using audit::keys::TrailingU64;

// ---- hot ----
Bytes Signal(const OrganisationId& sender, const SignalId& id);  // s oin id
Bytes SignalPrefix(const OrganisationId& sender);                // s oin
// z was a sender's signals in order: the entries of Feed that their acceptance wrote.
Bytes Item(const OrganisationId& recipient, const ItemKey& item);  // i oin item
Bytes ItemPrefix(const OrganisationId& recipient);                 // i oin
Bytes Ready(const OrganisationId& recipient, schakel::v1::Urgency urgency,
            const ItemKey& item);                                                  // r oin u8 item
Bytes ReadyPrefix(const OrganisationId& recipient, schakel::v1::Urgency urgency);  // r oin u8
Bytes Line(const OrganisationId& recipient, schakel::v1::Urgency urgency, BytesView case_id,
           const ItemKey& item);  // w oin u8 case item
Bytes LinePrefix(const OrganisationId& recipient, schakel::v1::Urgency urgency, BytesView case_id);
Bytes Head(const OrganisationId& recipient);                           // h oin
Bytes Delivery(const DeliveryId& id);                                  // d id -> oin item
Bytes Fetch(const OrganisationId& recipient, const RequestId& fetch);  // f oin id
Bytes OldPulledPrefix();                                               // p: written no more
Bytes Timer(uint64_t due_us, TimerKind kind, BytesView payload);       // t u64 u8 payload
Bytes TimersAfterPrefix(uint64_t due_us);  // before every timer that is due later
Bytes TimerPrefix();                       // t
Bytes Feed(const OrganisationId& sender, uint64_t position,
           uint16_t number);                     // e oin position number
Bytes FeedPrefix(const OrganisationId& sender);  // e oin
Bytes SubjectStatement(const schakel::v1::SubjectRefPair& pair,
                       const StatementId& id);                                   // c u32 value id
Bytes SubjectStatementPrefix(const schakel::v1::SubjectRefPair& pair);           // c u32 value
Bytes RecorderStatement(const OrganisationId& recorder, const StatementId& id);  // x oin id
Bytes RecorderStatementPrefix(const OrganisationId& recorder);                   // x oin
Bytes QueuedAbout(const schakel::v1::SubjectRefPair& pair, const OrganisationId& recipient,
                  const ItemKey& item);                            // q u32 value oin item
Bytes QueuedAboutPrefix(const schakel::v1::SubjectRefPair& pair);  // q u32 value
Bytes Attached(const OrganisationId& sender, const SignalId& signal, BytesView label,
               const OrganisationId& recipient);                             // a oin id label oin
Bytes AttachedPrefix(const OrganisationId& sender, const SignalId& signal);  // a oin id
Bytes RelianceOfDelivery(const StatementId& id, uint64_t position,
                         uint16_t number);              // y id position number
Bytes RelianceOfDeliveryPrefix(const StatementId& id);  // y id
Bytes Noticed(const StatementId& id, const OrganisationId& recipient,
              BytesView signal_id);                      // v id oin signal
Bytes NoticedPrefix(const StatementId& id);              // v id
Bytes Denied(BytesView organisation, BytesView reason);  // n oin reason
Bytes Stalled(BytesView alias, const ItemKey& item);     // l lp(alias) item
Bytes StalledOfAliasPrefix(BytesView alias);             // l lp(alias)
Bytes StalledPrefix();                                   // l
Bytes Sweeping();                                        // u
Bytes SignalEnd(const std::string& signal_type, uint64_t expires_ms, const OrganisationId& sender,
                const SignalId& id);                         // g lp(type) u64 oin id
Bytes SignalEndPrefix();                                     // g
Bytes SignalEndPrefix(const std::string& signal_type);       // g lp(type)
Bytes StatementEnd(uint64_t end_us, const StatementId& id);  // o u64 id
Bytes StatementEndPrefix();                                  // o

// ---- content ----
Bytes SignalContent(const OrganisationId& sender, const SignalId& id);  // s oin id
Bytes Wraps(const OrganisationId& recipient, const ItemKey& item);      // w oin item

// ---- registry ----
Bytes Organisation(const OrganisationId& oin);                           // O oin: the current one
Bytes OrganisationPrefix();                                              // O
Bytes OrganisationVersion(const OrganisationId& oin, uint64_t version);  // o oin u64
Bytes KeySet(const Digest& digest);                                      // k digest
Bytes KeySetOf(const OrganisationId& oin, uint64_t version);             // K oin u64 -> digest
Bytes Bundle(const Digest& digest);                                      // b digest
Bytes Statement(const StatementId& id);                                  // s id
Bytes Activation(uint64_t time_us, uint64_t index);                      // a u64 u64
Bytes ActivationPrefix();                                                // a

// ---- local ----
Bytes SubjectIndex(const schakel::v1::SubjectRefPair& pair, uint64_t index);  // s u32 value u64
Bytes SubjectIndexPrefix(const schakel::v1::SubjectRefPair& pair);
Bytes PartyIndex(BytesView organisation, uint64_t index);  // p oin u64
Bytes PartyIndexPrefix(BytesView organisation);
Bytes SignalIndex(BytesView signal_id, uint64_t index);  // g id u64
Bytes SignalIndexPrefix(BytesView signal_id);
Bytes SweepIndex(BytesView swept, uint64_t time_us, uint64_t index);  // w lp(swept) u64 u64
Bytes SweepIndexPrefix(BytesView swept);
Bytes Scoured();  // d

}  // namespace keys
}  // namespace schakel::machine
