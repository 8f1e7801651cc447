// A made-up broker over mTLS in the test's process: the reference bundle, a directory whose key
// sets are real, and inboxes that hand over what was published. It decides nothing: who is denied
// is set by the test.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "schakel/v1/audit.grpc.pb.h"
#include "schakel/v1/directory.grpc.pb.h"
#include "schakel/v1/flow.grpc.pb.h"
#include "schakel/v1/inbox.grpc.pb.h"
#include "schakel/v1/policy.grpc.pb.h"
#include "schakel/v1/signal.grpc.pb.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::cli {

// Serves over mTLS on 127.0.0.1 with the PKI's certificate of `oin`; `port` 0 takes a free one and
// is set.
std::unique_ptr<grpc::Server> ServeTls(const crypto::DevPki& pki, const std::string& oin,
                                       const std::vector<grpc::Service*>& services, int& port);

class FakeBroker {
 public:
  static constexpr const char* kOin = "00000099000000009999";
  // Organisations as the region's directory has them. The region outlives the object.
  explicit FakeBroker(sdk::Region& region);
  ~FakeBroker();

  // On the port that it had before, when it had one.
  void Start();
  void Stop();
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  std::set<std::string> denied;            // OINs that get nothing
  std::vector<std::string> published;      // serialised envelopes, as they came
  std::vector<v1::Delivery> waiting;       // what Fetch hands over
  std::vector<std::string> acknowledged;   // delivery ids
  std::vector<std::string> released;       // delivery ids
  std::vector<v1::RefuseRequest> refused;  // on a stream
  std::vector<v1::ReportOutcomeRequest> reported;
  grpc::Status report_status;
  v1::ListSignalsResponse signals;       // what ListSignals gives, in pages of two
  std::vector<v1::OutcomeEvent> events;  // the feed; the cursor of an event is its place, from 1
  int outcomes_down = 0;                 // so many calls of ReadOutcomes fail first
  std::vector<v1::Organisation> admitted;
  std::function<void(v1::GetOrganisationResponse&)> change_entry;
  std::shared_ptr<const sdk::LoadedBundle> bundle = sdk::Reference();
  std::shared_ptr<const sdk::LoadedBundle> past_bundle;  // given when its digest is asked for
  Millis activated{0};                                   // of the bundle
  std::string checkpoint;                                // the log's note
  grpc::Status policy_status;
  v1::QueryRecordsResponse records;  // what QueryRecords gives
  v1::GetStateAtResponse state;      // what GetStateAt gives
  std::vector<v1::GetStateAtRequest> asked_state;
  v1::GetFlowResponse flow;           // what GetFlow gives
  v1::ListStalledResponse stalled;    // what ListStalled gives, in pages of two
  std::vector<std::string> reminded;  // aliases
  std::mutex mutex;                   // guards them while it runs

 private:
  class Signals;
  class Inbox;
  class Directory;
  class Policy;
  class Audit;
  class Flow;
  sdk::Region& region_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<Audit> audit_;
  std::unique_ptr<Flow> flow_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace schakel::cli
