#include "tests/bench/idle_streams.h"

#include <sys/resource.h>

#include <condition_variable>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/base/limits.h"
#include "clients/sdk/org_client.h"
#include "schakel/v1/inbox.grpc.pb.h"
#include "tests/e2e/region.h"

namespace schakel::bench {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t kFirstOin = 50'000;  // of the organisations that only listen
constexpr auto kOpenTimeout = 60s;
constexpr auto kSettleTime = 2s;  // the broker has looked at each stream by then
constexpr double kMiB = 1024.0 * 1024.0;

// How many streams are open, as the broker's word that their inbox is empty tells.
class Opened {
 public:
  void Idle() { Count(idle_); }
  void Ended(const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    ++ended_;
    if (error_.empty() && !status.ok() && status.error_code() != grpc::StatusCode::CANCELLED) {
      error_ = status.error_message();
    }
    changed_.notify_all();
  }
  // False when one ended or they took too long.
  bool WaitFor(size_t streams) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kOpenTimeout, [&] { return idle_ >= streams || ended_ > 0; });
    return idle_ >= streams && ended_ == 0;
  }
  void WaitForEnd(size_t streams) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ == streams; });
  }
  size_t ended() {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  std::string error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  void Count(size_t& what) {
    const std::lock_guard lock(mutex_);
    ++what;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t idle_ = 0;
  size_t ended_ = 0;
  std::string error_;
};

// One stream that takes nothing, since nothing comes.
class IdleStream final : public grpc::ClientBidiReactor<v1::PullRequest, v1::PullResponse> {
 public:
  IdleStream(std::shared_ptr<sdk::Connection> connection, Opened& opened)
      : connection_(std::move(connection)),
        opened_(opened),
        stub_(v1::InboxService::NewStub(connection_->channel())) {
    connection_->AddMetadata(context_);
    stub_->async()->Pull(&context_, this);
    open_.mutable_open()->set_window(64);
    StartWrite(&open_);
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.has_idle()) opened_.Idle();
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override { opened_.Ended(status); }
  void Cancel() { context_.TryCancel(); }

 private:
  const std::shared_ptr<sdk::Connection> connection_;
  Opened& opened_;
  const std::unique_ptr<v1::InboxService::Stub> stub_;
  grpc::ClientContext context_;
  v1::PullRequest open_;
  v1::PullResponse response_;
};

uint64_t RssBytes(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

// Connections want a file each, here and in the broker, which inherits the bound.
void AllowManyFiles() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
}

// Admits one more partner and gives how it connects.
Result<sdk::ConnectionOptions> Admit(e2e::Region& region, int number) {
  const std::string oin = testing::TestOin(kFirstOin + static_cast<uint64_t>(number));
  const auto certificate = region.pki().Issue({.oin = oin});
  v1::Organisation entry;
  entry.set_oin(oin);
  entry.set_name("listener " + std::to_string(number) + " (voorbeeld)");
  entry.set_role(v1::ROLE_PARTNER);
  entry.set_sector("volunteer");
  entry.add_areas("dordrecht");
  entry.set_contact("privacy@voorbeeld.example");
  SCHAKEL_ASSIGN(auto parsed, crypto::Certificate::Parse(certificate.certificate_pem()));
  sdk::PinCertificate(parsed, &entry);
  SCHAKEL_ASSIGN(auto* registrar, region.As("registrar").org());
  SCHAKEL_TRY(registrar->AdmitOrReplace(entry));
  sdk::ConnectionOptions options;
  options.address = region.address();
  options.ca_file = region.pki().ca();
  options.certificate_file = certificate.certificate;
  options.key_file = certificate.key;
  options.actor = "listener";
  options.actor_role = "professional";
  return options;
}

}  // namespace

int RunIdleStreams(const IdleOptions& options, std::ostream& out) {
  AllowManyFiles();
  e2e::Region region({.as_deployed = true});
  constexpr int kEach = static_cast<int>(limits::kStreamsPerOrganisationMax);
  const int organisations = (options.streams + kEach - 1) / kEach;
  std::vector<sdk::ConnectionOptions> listeners;
  for (int i = 0; i < organisations; ++i) {
    auto listener = Admit(region, i);
    if (!listener.ok()) {
      std::cerr << listener.error().reason << ": " << listener.error().message << '\n';
      return 1;
    }
    listeners.push_back(std::move(*listener));
  }
  const pid_t broker = region.broker().pid();
  const uint64_t before = RssBytes(broker);
  Opened opened;
  std::vector<std::unique_ptr<IdleStream>> streams;
  std::shared_ptr<sdk::Connection> connection;
  int connections = 0;
  bool all = true;
  for (int i = 0; i < options.streams && all; ++i) {
    const int of_organisation = i % kEach;
    if (of_organisation % options.per_connection == 0) {
      // One after the other, so that no handshake waits for hundreds of others.
      all = opened.WaitFor(streams.size());
      connection = sdk::Connection::Open(listeners[static_cast<size_t>(i / kEach)]).value();
      ++connections;
    }
    streams.push_back(std::make_unique<IdleStream>(connection, opened));
  }
  all = all && opened.WaitFor(streams.size());
  const uint64_t opened_bytes = RssBytes(broker);
  std::this_thread::sleep_for(kSettleTime);
  const uint64_t idle = RssBytes(broker);
  all = all && opened.ended() == 0;
  for (auto& stream : streams) stream->Cancel();
  opened.WaitForEnd(streams.size());
  if (!all) {
    std::cerr << "a stream did not open or did not stay open: " << opened.error() << '\n';
    return 1;
  }
  const auto per_stream =
      (static_cast<double>(idle) - static_cast<double>(before)) / 1024.0 / options.streams;
  out << "| idle streams | organisations | connections | RSS before, MiB | RSS with them, MiB | "
         "a stream, KiB |\n|---|---|---|---|---|---|\n"
      << std::fixed << std::setprecision(1) << "| " << options.streams << " | " << organisations
      << " | " << connections << " | " << static_cast<double>(before) / kMiB << " | "
      << static_cast<double>(std::max(opened_bytes, idle)) / kMiB << " | " << per_stream << " |"
      << std::endl;
  return 0;
}

}  // namespace schakel::bench
