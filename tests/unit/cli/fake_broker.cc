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
  explicit Directory(sdk::Region& region) : region_(region) {}

  grpc::Status GetOrganisation(grpc::ServerContext*, const v1::GetOrganisationRequest* request,
                               v1::GetOrganisationResponse* response) override {
    const auto oin = OrganisationId::From(request->oin());
    const auto found = oin ? region_.directory.members.find(*oin) : region_.directory.members.end();
    if (found == region_.directory.members.end()) return {grpc::StatusCode::NOT_FOUND, "unknown"};
    *response->mutable_entry()->mutable_organisation() = found->second.organisation;
    *response->mutable_entry()->mutable_key_set() = region_.Current(*oin).signed_key_set;
    response->mutable_entry()->set_version(1);
    return grpc::Status::OK;
  }

 private:
  sdk::Region& region_;
};

class FakeBroker::Policy final : public v1::PolicyService::Service {
 public:
  grpc::Status GetPolicy(grpc::ServerContext*, const v1::GetPolicyRequest*,
                         v1::GetPolicyResponse* response) override {
    response->set_bundle(sdk::Reference()->bytes);
    response->set_digest(sdk::Reference()->digest.str());
    response->set_active(true);
    return grpc::Status::OK;
  }
};

FakeBroker::FakeBroker(sdk::Region& region)
    : region_(region),
      signals_(std::make_unique<Signals>(*this)),
      inbox_(std::make_unique<Inbox>(*this)),
      directory_(std::make_unique<Directory>(region)),
      policy_(std::make_unique<Policy>()) {
  region_.pki.Issue("00000099000000009999");
  Start();
}

FakeBroker::~FakeBroker() { Stop(); }

void FakeBroker::Start() {
  const auto read = [&](const char* name) { return crypto::ReadText(region_.pki.path() / name); };
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = read("ca.pem");
  options.pem_key_cert_pairs.push_back(
      {read("00000099000000009999.key"), read("00000099000000009999.chain.pem")});
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("localhost:" + std::to_string(port_),
                           grpc::SslServerCredentials(options), &port);
  builder.RegisterService(signals_.get());
  builder.RegisterService(inbox_.get());
  builder.RegisterService(directory_.get());
  builder.RegisterService(policy_.get());
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr);
  port_ = port;
}

void FakeBroker::Stop() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

}  // namespace schakel::cli
