#include "tests/unit/cli/fake_broker.h"

#include "clients/sdk/files.h"
#include "clients/sdk/inbox_client.h"

namespace schakel::cli {

class FakeBroker::Signals final : public v1::SignalService::Service {
 public:
  explicit Signals(FakeBroker& broker) : broker_(broker) {}

  grpc::Status Publish(grpc::ServerContext*, const v1::PublishRequest* request,
                       v1::PublishResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    for (const auto& envelope : request->envelopes()) {
      broker_.published.push_back(envelope.SerializeAsString());
      v1::Header header;
      header.ParseFromString(envelope.header());
      v1::Routing routing;
      routing.ParseFromString(envelope.routing());
      auto* accepted = response->add_results()->mutable_accepted();
      accepted->set_signal_id(header.signal_id());
      for (const auto& recipient : routing.recipients()) {
        auto* outcome = accepted->add_outcomes();
        outcome->set_recipient(recipient.oin());
        if (broker_.denied.count(recipient.oin()) > 0) {
          outcome->set_state(v1::RECIPIENT_STATE_DENIED);
          outcome->set_reason("NO_RULE");
        } else {
          outcome->set_state(v1::RECIPIENT_STATE_QUEUED);
          outcome->add_permitted_categories("finances");
        }
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status ReadOutcomes(grpc::ServerContext*, const v1::ReadOutcomesRequest* request,
                            v1::ReadOutcomesResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    if (broker_.outcomes_down > 0) {
      --broker_.outcomes_down;
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "busy"};
    }
    const size_t from = request->after().empty() ? 0 : std::stoul(request->after());
    const size_t end = std::min<size_t>(from + request->page_size(), broker_.events.size());
    for (size_t i = from; i < end; ++i) {
      *response->add_events() = broker_.events[i];
      response->mutable_events()->rbegin()->set_cursor(std::to_string(i + 1));
    }
    response->set_more(end < broker_.events.size());
    return grpc::Status::OK;
  }

  grpc::Status ListSignals(grpc::ServerContext*, const v1::ListSignalsRequest* request,
                           v1::ListSignalsResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    const int from = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    const int end = std::min(
        {from + 2, from + static_cast<int>(request->page_size()), broker_.signals.signals_size()});
    for (int i = from; i < end; ++i) *response->add_signals() = broker_.signals.signals(i);
    if (end < broker_.signals.signals_size()) {
      response->set_next_page_token(std::to_string(end));
    }
    return grpc::Status::OK;
  }

 private:
  FakeBroker& broker_;
};

class FakeBroker::Inbox final : public v1::InboxService::Service {
 public:
  explicit Inbox(FakeBroker& broker) : broker_(broker) {}

  grpc::Status Fetch(grpc::ServerContext*, const v1::FetchRequest* request,
                     v1::FetchResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    for (const auto& delivery : broker_.waiting) {
      if (response->deliveries_size() == static_cast<int>(request->max_items())) break;
      *response->add_deliveries() = delivery;
    }
    return grpc::Status::OK;
  }

  grpc::Status Acknowledge(grpc::ServerContext*, const v1::AcknowledgeRequest* request,
                           v1::AcknowledgeResponse*) override {
    const std::lock_guard lock(broker_.mutex);
    broker_.acknowledged.push_back(request->delivery_id());
    return grpc::Status::OK;
  }

  grpc::Status ReportOutcome(grpc::ServerContext*, const v1::ReportOutcomeRequest* request,
                             v1::ReportOutcomeResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    broker_.reported.push_back(*request);
    response->mutable_receipt()->set_index(7);
    return broker_.report_status;
  }

  // Hands over everything that waits, then says that it is idle; what is given back comes again.
  grpc::Status Pull(grpc::ServerContext*,
                    grpc::ServerReaderWriter<v1::PullResponse, v1::PullRequest>* stream) override {
    v1::PullRequest request;
    if (!stream->Read(&request) || !request.has_open()) return grpc::Status::CANCELLED;
    std::vector<v1::Delivery> waiting;
    {
      const std::lock_guard lock(broker_.mutex);
      waiting = broker_.waiting;
    }
    while (true) {
      v1::PullResponse response;
      if (waiting.empty()) {
        response.mutable_idle();
      } else {
        *response.mutable_delivery() = waiting.front();
      }
      if (!stream->Write(response) || !stream->Read(&request)) return grpc::Status::OK;
      const std::lock_guard lock(broker_.mutex);
      response.Clear();
      if (request.has_acknowledge()) {
        broker_.acknowledged.push_back(request.acknowledge().delivery_id());
        response.mutable_settlement()->set_delivery_id(request.acknowledge().delivery_id());
        waiting.erase(waiting.begin());
      } else if (request.has_refuse()) {
        broker_.refused.push_back(request.refuse());
        response.mutable_settlement()->set_delivery_id(request.refuse().delivery_id());
        waiting.erase(waiting.begin());
      } else {
        broker_.released.push_back(request.release().delivery_id());
        response.mutable_settlement()->set_delivery_id(request.release().delivery_id());
      }
      stream->Write(response);
    }
  }

 private:
  FakeBroker& broker_;
};

class FakeBroker::Directory final : public v1::DirectoryService::Service {
 public:
  Directory(FakeBroker& broker, sdk::Region& region) : broker_(broker), region_(region) {}

  grpc::Status AdmitOrganisation(grpc::ServerContext*, const v1::AdmitOrganisationRequest* request,
                                 v1::AdmitOrganisationResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    broker_.admitted.push_back(request->organisation());
    response->set_version(request->expected_version() + 1);
    return grpc::Status::OK;
  }

  grpc::Status GetOrganisation(grpc::ServerContext*, const v1::GetOrganisationRequest* request,
                               v1::GetOrganisationResponse* response) override {
    const auto oin = OrganisationId::From(request->oin());
    const auto found = oin ? region_.directory.members.find(*oin) : region_.directory.members.end();
    if (found == region_.directory.members.end()) return {grpc::StatusCode::NOT_FOUND, "unknown"};
    *response->mutable_entry()->mutable_organisation() = found->second.organisation;
    *response->mutable_entry()->mutable_key_set() = region_.Current(*oin).signed_key_set;
    response->mutable_entry()->set_version(1);
    if (broker_.change_entry) broker_.change_entry(*response);
    return grpc::Status::OK;
  }

 private:
  FakeBroker& broker_;
  sdk::Region& region_;
};

class FakeBroker::Policy final : public v1::PolicyService::Service {
 public:
  explicit Policy(FakeBroker& broker) : broker_(broker) {}

  grpc::Status GetPolicy(grpc::ServerContext*, const v1::GetPolicyRequest* request,
                         v1::GetPolicyResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    if (!broker_.policy_status.ok()) return broker_.policy_status;
    const auto& past = broker_.past_bundle;
    if (past && request->digest() == past->digest.view()) {
      response->set_bundle(past->bytes);
      response->set_digest(past->digest.str());
      return grpc::Status::OK;
    }
    response->set_bundle(broker_.bundle->bytes);
    response->set_digest(broker_.bundle->digest.str());
    response->set_active(true);
    if (broker_.activated > Millis(0)) {
      response->mutable_activated()->set_seconds(broker_.activated.count() / 1000);
    }
    return grpc::Status::OK;
  }

 private:
  FakeBroker& broker_;
};

class FakeBroker::Audit final : public v1::AuditService::Service {
 public:
  explicit Audit(FakeBroker& broker) : broker_(broker) {}

  grpc::Status QueryRecords(grpc::ServerContext*, const v1::QueryRecordsRequest*,
                            v1::QueryRecordsResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    *response = broker_.records;
    return grpc::Status::OK;
  }

  grpc::Status GetStateAt(grpc::ServerContext*, const v1::GetStateAtRequest* request,
                          v1::GetStateAtResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    broker_.asked_state.push_back(*request);
    *response = broker_.state;
    return grpc::Status::OK;
  }

  grpc::Status GetCheckpoint(grpc::ServerContext*, const v1::GetCheckpointRequest*,
                             v1::GetCheckpointResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    response->set_checkpoint(broker_.checkpoint);
    return grpc::Status::OK;
  }

 private:
  FakeBroker& broker_;
};

class FakeBroker::Flow final : public v1::FlowService::Service {
 public:
  explicit Flow(FakeBroker& broker) : broker_(broker) {}

  grpc::Status GetFlow(grpc::ServerContext*, const v1::GetFlowRequest*,
                       v1::GetFlowResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    *response = broker_.flow;
    return grpc::Status::OK;
  }

  grpc::Status ListStalled(grpc::ServerContext*, const v1::ListStalledRequest* request,
                           v1::ListStalledResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    const int from = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    const int end = std::min(from + 2, broker_.stalled.signals_size());
    for (int i = from; i < end; ++i) *response->add_signals() = broker_.stalled.signals(i);
    if (end < broker_.stalled.signals_size()) response->set_next_page_token(std::to_string(end));
    return grpc::Status::OK;
  }

  grpc::Status Remind(grpc::ServerContext*, const v1::RemindRequest* request,
                      v1::RemindResponse* response) override {
    const std::lock_guard lock(broker_.mutex);
    EXPECT_EQ(request->request_id().size(), 16u);
    broker_.reminded.push_back(request->alias());
    response->set_reminded(2);
    response->mutable_again_from()->set_seconds(1'800'000'000);
    return grpc::Status::OK;
  }

 private:
  FakeBroker& broker_;
};

FakeBroker::FakeBroker(sdk::Region& region)
    : region_(region),
      signals_(std::make_unique<Signals>(*this)),
      inbox_(std::make_unique<Inbox>(*this)),
      directory_(std::make_unique<Directory>(*this, region)),
      policy_(std::make_unique<Policy>(*this)),
      audit_(std::make_unique<Audit>(*this)),
      flow_(std::make_unique<Flow>(*this)) {
  region_.pki.Issue(kOin);
  Start();
}

FakeBroker::~FakeBroker() { Stop(); }

void FakeBroker::Start() {
  server_ = ServeTls(
      region_.pki, kOin,
      {signals_.get(), inbox_.get(), directory_.get(), policy_.get(), audit_.get(), flow_.get()},
      port_);
}

void FakeBroker::Stop() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

std::unique_ptr<grpc::Server> ServeTls(const crypto::DevPki& pki, const std::string& oin,
                                       const std::vector<grpc::Service*>& services, int& port) {
  const auto read = [&](const std::string& name) { return crypto::ReadText(pki.path() / name); };
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = read("ca.pem");
  options.pem_key_cert_pairs.push_back({read(oin + ".key"), read(oin + ".chain.pem")});
  grpc::ServerBuilder builder;
  int taken = 0;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::SslServerCredentials(options),
                           &taken);
  for (auto* service : services) builder.RegisterService(service);
  auto server = builder.BuildAndStart();
  EXPECT_NE(server, nullptr);
  port = taken;
  return server;
}

}  // namespace schakel::cli
