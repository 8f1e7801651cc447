#include "clients/cli/bench/stock.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "clients/cli/bench/load_options.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

constexpr size_t kSealersMax = 16;
constexpr std::chrono::milliseconds kFillLookTime{50};

sdk::SignalDraft CopyOfDraft(const sdk::SignalDraft& from) {
  sdk::SignalDraft draft;
  draft.signal_type = from.signal_type;
  draft.purpose = from.purpose;
  draft.urgency = from.urgency;
  draft.expires_in = from.expires_in;
  draft.recipients = from.recipients;
  draft.subjects = from.subjects;
  for (const auto& section : from.sections) {
    draft.sections.push_back(CopyOfSection(section));
  }
  return draft;
}

}  // namespace

Result<std::unique_ptr<Stock>> Stock::Open(sdk::Session& session, sdk::SignalDraft draft) {
  SCHAKEL_ASSIGN(auto* const keys, session.keys());
  SCHAKEL_ASSIGN(auto own, keys->Current(sdk::Now()));
  std::unique_ptr<Stock> stock(new Stock(std::move(own)));
  const size_t cores = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kSealersMax);
  for (size_t i = 0; i < cores; ++i) {
    SCHAKEL_ASSIGN(auto composer, session.NewComposer());
    stock->sealers_.push_back({std::move(composer), CopyOfDraft(draft)});
  }
  SCHAKEL_ASSIGN(const auto plan, stock->sealers_.front().composer->Plan(draft, sdk::Now()));
  for (const auto& recipient : plan) stock->recipients_.push_back(recipient.oin);
  // The first shows what is wrong with all of them.
  SCHAKEL_TRY(stock->SealOne(stock->sealers_.front()));
  stock->envelope_bytes_ = stock->ready_.front().envelope.size();
  return stock;
}

Status Stock::SealOne(Sealer& sealer) {
  for (auto& subject : sealer.draft.subjects) subject = sdk::UnlinkedSubject();
  SCHAKEL_ASSIGN(auto sealed, sealer.composer->Compose(sealer.draft, keys_, sdk::Now()));
  sealed.plan.clear();
  sealed.subject_labels.clear();
  const std::lock_guard guard(mutex_);
  ready_.push_back(std::move(sealed));
  return {};
}

Status Stock::Fill(size_t count, const Stop& stop, const sdk::Progress& progress) {
  const size_t before = size();
  if (before >= count) return {};
  const size_t missing = count - before;
  std::atomic<size_t> begun = 0;
  std::atomic<size_t> working = sealers_.size();
  std::mutex error_mutex;
  std::optional<Error> error;
  std::vector<std::thread> threads;
  for (auto& sealer : sealers_) {
    threads.emplace_back([&, at = &sealer] {
      while (begun++ < missing && !stop()) {
        const auto sealed = SealOne(*at);
        if (sealed.ok()) continue;
        const std::lock_guard guard(error_mutex);
        if (!error) error = sealed.error();
        begun = missing;
      }
      --working;
    });
  }
  while (working > 0) {
    progress(size() - before, missing);
    std::this_thread::sleep_for(kFillLookTime);
  }
  for (auto& thread : threads) thread.join();
  if (error) return *error;
  return {};
}

std::optional<sdk::ComposedSignal> Stock::Take() {
  const std::lock_guard guard(mutex_);
  if (ready_.empty()) return std::nullopt;
  auto signal = std::move(ready_.front());
  ready_.pop_front();
  return signal;
}

size_t Stock::size() const {
  const std::lock_guard guard(mutex_);
  return ready_.size();
}

}  // namespace schakel::cli
