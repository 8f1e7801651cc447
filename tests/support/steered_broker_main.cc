// A broker for tests: schakel-broker with a clock and a disk that its test steers (steering.h). The
// file to be steered by is named in SCHAKEL_STEERING. It is never installed, and lies beside the
// tests, not among the programs.
#include <cstdio>
#include <cstdlib>

#include "broker/rpc/program.h"
#include "broker/store/testing/fault_file_system.h"
#include "tests/support/steering.h"

namespace {

using schakel::Micros;
using schakel::testing::Steering;

class SteeredClock final : public schakel::Clock {
 public:
  explicit SteeredClock(const Steering* steering) : steering_(steering) {}
  Micros Wall() const override { return system_.Wall() + steering_->wall_ahead(); }
  Micros Steady() const override { return system_.Steady() + steering_->steady_ahead(); }

 private:
  const schakel::SystemClock system_;
  const Steering* const steering_;
};

}  // namespace

int main(int argc, char** argv) {
  const char* const file = std::getenv("SCHAKEL_STEERING");
  if (file == nullptr) {
    std::fputs("SCHAKEL_STEERING names no file\n", stderr);
    return 64;
  }
  Steering steering(file);
  const SteeredClock clock(&steering);
  schakel::store::testing::FaultFileSystem disk(std::string(file) + ".deleted");
  disk.FailSyncsWhen([&steering] { return steering.TakeSyncFailure(); });
  schakel::rpc::Surroundings surroundings;
  surroundings.clock = &clock;
  surroundings.file_system = disk.handle();
  surroundings.free_bytes = [&steering] {
    return schakel::Result<uint64_t>(steering.LookAtFreeBytes());
  };
  return schakel::rpc::RunProgram(argc, argv, surroundings);
}
