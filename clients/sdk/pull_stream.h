// The inbox as a stream: deliveries come as they arrive, settlements go back on the same stream.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "broker/base/ids.h"
#include "clients/sdk/connection.h"
#include "clients/sdk/inbox_client.h"
#include "schakel/v1/inbox.pb.h"

namespace schakel::sdk {

struct PullOptions {
  uint32_t window = 16;  // deliveries that may be unsettled at a time, 1 to 256
  std::optional<std::chrono::seconds> lease;  // 30 s to 12 h; unset: 60 s
};

// One reader thread inside. Next() and the settlements may be called from any thread.
//
// Deliveries come in batches, and acknowledgements that come while a message is under way go
// together with the next one.
//
// When the stream breaks it is opened again with backoff until Close(). Deliveries that were not
// settled come again, under a new delivery id: the broker released them. A settlement that was not
// answered when the stream broke is made by a call of its own, since it counts until the item is
// settled. What can't be helped by trying again (no access, role) ends it: Next() gives that Error.
class PullStream {
 public:
  static std::unique_ptr<PullStream> Open(std::shared_ptr<Connection> connection,
                                          PullOptions options = {});
  ~PullStream();
  PullStream(const PullStream&) = delete;
  PullStream& operator=(const PullStream&) = delete;

  // Blocks until an item comes; nullopt after `timeout`, or after Close().
  Result<std::optional<v1::Delivery>> Next(std::chrono::milliseconds timeout);

  // Each blocks until the broker answered, within the connection's timeout, and gives the record.
  Result<v1::LogReceipt> Acknowledge(const DeliveryId& delivery);
  // The same for several: an answer for each, in their order.
  std::vector<Result<v1::LogReceipt>> AcknowledgeAll(const std::vector<DeliveryId>& deliveries);
  Result<v1::LogReceipt> Refuse(const DeliveryId& delivery, const Refusal& refusal);
  Result<v1::LogReceipt> Release(const DeliveryId& delivery);
  Result<v1::LogReceipt> Extend(const DeliveryId& delivery, std::chrono::seconds lease);

  // Whether the broker said that nothing waits, and nothing came since.
  bool idle() const;
  // How often the stream was opened again.
  uint64_t reconnects() const;
  // Ends the stream; the broker releases what is unsettled. Idempotent.
  void Close();

 private:
  struct Impl;
  explicit PullStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schakel::sdk
