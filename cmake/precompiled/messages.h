// Headers that most files of the machine, queries and policy read anyway. A file still includes what it
// uses: the preset tidy builds without this.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "schakel/state/v1/state.pb.h"
#include "schakel/v1/audit.pb.h"
#include "schakel/v1/common.pb.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/directory.pb.h"
#include "schakel/v1/envelope.pb.h"
#include "schakel/v1/inbox.pb.h"
#include "schakel/v1/policy.pb.h"
#include "schakel/v1/record.pb.h"
#include "schakel/v1/signal.pb.h"
