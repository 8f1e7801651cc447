// A program with the fault that its argument names, for sanitizers_test.cc.
#include <climits>
#include <memory>
#include <string>
#include <thread>

namespace {

// Two threads write one number without an order between them.
int Race() {
  int number = 0;
  std::thread other([&] { ++number; });
  ++number;
  other.join();
  return number;
}

int UseAfterFree() {
  auto number = std::make_unique<volatile int>(1);
  // By way of a variable that is read at run time: the compiler sees such a use and refuses it.
  volatile int* volatile const gone = number.get();
  number.reset();
  return *gone;
}

int Overflow() {
  volatile int number = INT_MAX;
  number = number + 1;
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string fault = argc == 2 ? argv[1] : "";
  if (fault == "race") return Race() == 2 ? 0 : 1;
  if (fault == "use-after-free") return UseAfterFree() == 1 ? 0 : 1;
  if (fault == "overflow") return Overflow() < 0 ? 0 : 1;
  return 64;
}
