#include "tests/bitflip/witness.h"

#include <algorithm>

#include "broker/base/check.h"
#include "clients/sdk/export_verification.h"
#include "tests/e2e/story.h"
#include "tests/support/temp_dir.h"

namespace schakel::bitflip {

namespace {

Seen Detected(const Error& error) { return {Verdict::kDetected, error.reason}; }
Seen Wrong(std::string what) { return {Verdict::kWrong, std::move(what)}; }

Status ExportTo(sdk::Session& auditor, const std::filesystem::path& file) {
  v1::ExportRequest request;
  request.set_request_id(sdk::NewRequestId().str());
  request.set_with_details(true);
  request.set_ground("internal-audit");
  request.set_reference("bit-flips");
  SCHAKEL_ASSIGN(auto* audit, auditor.audit());
  return audit->Export(request, file);
}

Result<sdk::VerificationReport> Verified(const e2e::Region& region,
                                         const std::filesystem::path& file) {
  const auto key = merkle::VerifierKey::Parse(region.log_key());
  SCHAKEL_CHECK(key.ok(), "the region knows its log's key");
  return sdk::VerifyExport(file, *key, std::nullopt);
}

// The frames up to the checkpoint's text, which names the log's origin first.
size_t FramesOf(const std::string& bytes, const e2e::Region& region) {
  const std::string origin = region.region() + "/schakel/1\n";
  const size_t at = bytes.rfind(origin);
  SCHAKEL_CHECK(at != std::string::npos, "an export ends with its checkpoint");
  return at;
}

// Every section as it was written.
bool Whole(const sdk::OpenedSignal& opened) {
  const auto draft = e2e::Arrears();
  if (opened.sections.size() != draft.sections.size()) return false;
  return std::all_of(draft.sections.begin(), draft.sections.end(), [&](const auto& sent) {
    return std::any_of(opened.sections.begin(), opened.sections.end(), [&](const auto& read) {
      return read.meta.category() == sent.category &&
             read.content.content.ExposeSecret() == sent.content.ExposeSecret();
    });
  });
}

Seen LookAtLog(e2e::Region& region, const Before& before, const std::string& name) {
  const auto file = region.folder() / (name + ".export");
  const auto auditor = region.NewSession("region-auditor", name);
  const Status exported = ExportTo(*auditor, file);
  if (!exported.ok()) return Detected(exported.error());
  const auto report = Verified(region, file);
  if (!report.ok()) return Detected(report.error());
  if (!report->verified) return {Verdict::kDetected, "the auditor's verification"};
  const std::string bytes = testing::ReadFile(file);
  if (FramesOf(bytes, region) < before.frames_bytes) return Wrong("the log is shorter");
  if (bytes.compare(0, before.frames_bytes, before.export_file_bytes, 0, before.frames_bytes) !=
      0) {
    return Wrong("the log says something else");
  }
  return {};
}

Seen LookAtInbox(e2e::Region& region, const Before& before, const std::string& name) {
  const auto reader = region.NewSession("debt-relief", name);
  size_t found = 0;
  while (true) {
    const auto fetched = e2e::FetchAll(*reader, 8);
    if (!fetched.ok()) return Detected(fetched.error());
    if (fetched->empty()) break;
    for (const auto& delivery : *fetched) {
      const auto opened = e2e::Open(*reader, delivery);
      if (!opened.ok()) return {Verdict::kDetected, "the reader's " + opened.error().reason};
      if (!Whole(*opened)) return Wrong("a payload is another");
      ++found;
    }
  }
  if (found == before.waiting) return {};
  return Wrong(std::to_string(found) + " of " + std::to_string(before.waiting) +
               " signals came, and no error");
}

}  // namespace

Before LookBefore(e2e::Region& region, size_t waiting) {
  const auto file = region.folder() / "before.export";
  const Status exported = ExportTo(region.As("region-auditor"), file);
  SCHAKEL_CHECK(exported.ok(), "the log can be exported");
  const auto report = Verified(region, file);
  SCHAKEL_CHECK(report.ok() && report->verified, "the log verifies");
  Before before;
  before.waiting = waiting;
  before.export_file_bytes = testing::ReadFile(file);
  before.frames_bytes = FramesOf(before.export_file_bytes, region);
  return before;
}

Seen LookAgain(e2e::Region& region, const Before& before, const std::string& name) {
  const Seen log = LookAtLog(region, before, name);
  if (log.verdict == Verdict::kWrong) return log;
  const Seen inbox = LookAtInbox(region, before, name);
  if (inbox.verdict == Verdict::kHarmless) return log;
  return inbox;
}

}  // namespace schakel::bitflip
