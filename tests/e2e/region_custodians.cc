// The custodians of a region.
#include "tests/e2e/region.h"
#include "tests/e2e/region_parts.h"

namespace schakel::e2e {

namespace fs = std::filesystem;
using testing::WriteFile;

namespace {

std::string CustodianName(int number) { return "custodian-" + std::to_string(number); }

std::string WithoutLineEnd(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

void Region::WriteCustodianConfig(int number, int port) const {
  const std::string name = CustodianName(number);
  WriteFile(
      temp_ / (name + ".yaml"),
      "data_folder: " + name + "-data\nhead_file: " + name + "-head\nlog_key_file: " + name +
          "-log.key\nshare_file: key/share-" + std::to_string(number) +
          ".key\nkey_document_file: key/key-document.pb\nmembers_file: members.yaml\n" +
          "listen:\n  address: 127.0.0.1:" + std::to_string(port) + "\n  port_file: " + name +
          ".port\ncap_per_day: 1000000\n" +
          (number == 1
               ? "metrics_address: 127.0.0.1:" + std::to_string(custodian_metrics_port_) + "\n"
               : "") +
          TlsYaml(custodian_certificates_[static_cast<size_t>(number - 1)], *pki_));
}

void Region::StartCustodians() {
  custodians_.resize(kCustodians);
  custodian_ports_.resize(kCustodians);
  for (int number = 1; number <= kCustodians; ++number) {
    WriteCustodianConfig(number, 0);
    custodian_log_keys_.push_back(WithoutLineEnd(
        MustRun(
            {.program = CustodianProgram(),
             .args = {"init", "--config", (temp_ / (CustodianName(number) + ".yaml")).string()}},
            "schakel-custodian init")
            .out));
    StartCustodian(number);
  }
}

void Region::StartCustodian(int number) {
  const fs::path port_file = temp_ / (CustodianName(number) + ".port");
  fs::remove(port_file);
  auto& child = custodians_[static_cast<size_t>(number - 1)];
  child = testing::ChildProcess::Start(
      {.program = CustodianProgram(),
       .args = {"--config", (temp_ / (CustodianName(number) + ".yaml")).string()},
       .output = temp_ / CustodianName(number)});
  SCHAKEL_CHECK(child != nullptr, "schakel-custodian is built");
  const auto port = child->WaitForPort(port_file);
  if (!port) std::fprintf(stderr, "%s%s\n", child->Stdout().c_str(), child->Stderr().c_str());
  SCHAKEL_CHECK(port.has_value(), "a custodian listens");
  custodian_ports_[static_cast<size_t>(number - 1)] = *port;
  // From now on the same one, so that clients find it again.
  WriteCustodianConfig(number, *port);
}

int Region::StopCustodian(int number) {
  auto& child = custodians_[static_cast<size_t>(number - 1)];
  const int code = child->Stop();
  child.reset();
  return code;
}

void Region::KillCustodian(int number) {
  auto& child = custodians_[static_cast<size_t>(number - 1)];
  child->Kill();
  child.reset();
}

testing::RunResult Region::RunCustodian(int number, std::vector<std::string> args) {
  args.push_back("--config");
  args.push_back((temp_ / (CustodianName(number) + ".yaml")).string());
  return testing::RunProgram({.program = CustodianProgram(), .args = std::move(args)});
}

fs::path Region::custodian_data(int number) const {
  return temp_ / (CustodianName(number) + "-data");
}

void Region::set_custodian_log_key(int number, std::string key) {
  custodian_log_keys_[static_cast<size_t>(number - 1)] = std::move(key);
  sessions_.clear();
}

const std::string& Region::custodian_log_key(int number) const {
  return custodian_log_keys_[static_cast<size_t>(number - 1)];
}

}  // namespace schakel::e2e
