// The queues of an inbox: what may go now, what waits behind another of its case, and how an item
// ends. Every state of an item is entered through one of these functions.
#pragma once

#include "broker/machine/context.h"

namespace schakel::machine {

// An item with its place.
struct PlacedItem {
  OrganisationId recipient;
  ItemKey key;
  state::v1::InboxItem item;
};

// A notice's name in records: consent-withdrawn, reminder.
const char* NoticeName(v1::NoticeKind kind);

// Puts a new item into its recipient's inbox: ready, or waiting behind another of its case.
Status Enqueue(Context& ctx, PlacedItem& placed);
// Puts a notice into its recipient's inbox: acute, with a record of its own and a timer for the end
// that it has. REQUIRES: notice and expiry set.
Status PlaceNotice(Context& ctx, PlacedItem& placed);

// Reads an item. DATA_LOSS when it is missing.
Result<PlacedItem> LoadItem(const Context& ctx, const OrganisationId& recipient,
                            const ItemKey& key);

// Reads an item's signal; nothing for a notice, which has none. DATA_LOSS when it is missing.
Status LoadSignal(const Context& ctx, const PlacedItem& placed, state::v1::SignalState* signal);

// The item of a delivery of that recipient; DELIVERY_UNKNOWN when there is none.
Result<PlacedItem> FindDelivery(const Context& ctx, const OrganisationId& recipient,
                                const DeliveryId& delivery);

inline bool IsSettled(const state::v1::InboxItem& item) {
  return item.state() >= state::v1::ITEM_STATE_ACKNOWLEDGED;
}

// The value of a lease's timer when the lease was taken on a stream.
inline constexpr BytesView kPulledLease = "p";

// Ready or waiting -> leased, under a new delivery id.
void Lease(Context& ctx, PlacedItem& placed, const DeliveryId& delivery, uint64_t until_us,
           bool pulled);
// Moves the end of a lease.
void MoveLease(Context& ctx, PlacedItem& placed, uint64_t until_us);
// Leased -> ready, at its old place.
Status Unlease(Context& ctx, PlacedItem& placed);

// Ends an item: out of its queues, wraps destroyed, the next of its case ready, the signal's slot
// and content brought up to date, its sender told. `outcome` has state and reason; the rest stays.
struct Ending {
  state::v1::ItemState state = state::v1::ITEM_STATE_UNSPECIFIED;
  v1::RecipientState outcome = v1::RECIPIENT_STATE_UNSPECIFIED;
  std::string reason;
  std::string reason_text;
  const v1::FunctionAddress* redirect = nullptr;
  uint64_t record_index = 0;
};
Status Settle(Context& ctx, PlacedItem& placed, const Ending& ending);
// The same with the item's signal as it stands now, which is brought up to date too.
Status Settle(Context& ctx, PlacedItem& placed, const Ending& ending,
              state::v1::SignalState& signal);

// Tells the sender that an item was handed over, and brings `signal`, which is its own, up to date.
// REQUIRES: no notice
void MarkDelivered(Context& ctx, const PlacedItem& placed, state::v1::SignalState& signal);

// Tells the sender that an item that seemed handed over never was. No effect for a notice.
Status MarkQueued(Context& ctx, const PlacedItem& placed);

// Removes a settled item with its delivery ids.
void ForgetItem(Context& ctx, const PlacedItem& placed);

// One record for each subject that the item's deliveries showed; of an item that was never handed
// over one for each subject of the signal, with the sender as party. All share an event id. Returns
// the first receipt.
struct ItemRecord {
  v1::RecordKind kind = v1::RECORD_KIND_UNSPECIFIED;
  DeliveryId delivery{};
  std::string reason;
  std::string text;
  const v1::FunctionAddress* redirect = nullptr;
  uint64_t lease_until_us = 0;
  std::string reported_code;  // with the bundle that has it
};
Result<v1::LogReceipt> RecordItem(Context& ctx, const PlacedItem& placed, const ItemRecord& what);
// The same with the item's signal as it stands now; empty for a notice.
Result<v1::LogReceipt> RecordItem(Context& ctx, const PlacedItem& placed, const ItemRecord& what,
                                  const state::v1::SignalState& signal);

}  // namespace schakel::machine
