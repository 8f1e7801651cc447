#include "clients/cli/loopback_journal.h"

#include <algorithm>

#include "clients/sdk/files.h"

namespace schakel::cli {

namespace fs = std::filesystem;

namespace {

// "<request id> <code>\n"
std::optional<OwedReport> Parse(const DeliveryId& delivery, const std::string& line) {
  constexpr size_t kIdLength = 36;
  if (line.size() < kIdLength + 3 || line[kIdLength] != ' ' || line.back() != '\n') return {};
  const auto raw = UuidParse(line.substr(0, kIdLength));
  if (!raw) return {};
  return OwedReport{delivery, *RequestId::From(*raw),
                    line.substr(kIdLength + 1, line.size() - kIdLength - 2)};
}

}  // namespace

Result<LoopbackJournal> LoopbackJournal::Open(fs::path folder) {
  SCHAKEL_TRY(sdk::EnsurePrivateFolder(folder));
  return LoopbackJournal(std::move(folder));
}

Status LoopbackJournal::Owe(const OwedReport& report) const {
  return sdk::WriteFileDurably(folder_ / UuidText(report.delivery.view()),
                               UuidText(report.request.view()) + " " + report.code + "\n");
}

Status LoopbackJournal::Settle(const DeliveryId& delivery) const {
  return sdk::RemoveFileDurably(folder_ / UuidText(delivery.view()));
}

Result<std::vector<OwedReport>> LoopbackJournal::Owed() const {
  std::vector<OwedReport> all;
  std::error_code code;
  for (fs::directory_iterator at(folder_, code), end; !code && at != end; at.increment(code)) {
    const auto raw = UuidParse(at->path().filename().string());
    if (!raw) continue;  // a temporary file of a write that was killed
    const auto delivery = DeliveryId::From(*raw);
    SCHAKEL_ASSIGN(const Bytes content, sdk::ReadFile(at->path(), 1024));
    const auto report = Parse(*delivery, content);
    if (!report) {
      return MakeError(ErrorCode::kDataLoss, "JOURNAL_DAMAGED",
                       at->path().string() +
                           " is damaged: expected a request id and a code. Remove it to go on; the "
                           "test that it stands for stays without a report",
                       at->path().string());
    }
    all.push_back(*report);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.delivery.view() < b.delivery.view(); });
  return all;
}

}  // namespace schakel::cli
