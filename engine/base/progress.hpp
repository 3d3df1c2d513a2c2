// How long work tells where it is, and how it is stopped.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.hpp"

namespace satchel {

struct ProgressUpdate {
    Literal stage;     // "reading the folder": a key of the text table
    std::string item;  // the file or course at hand
    std::uint64_t items_done = 0;
    std::uint64_t items_total = 0;  // 0: not known yet
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;  // 0: not known yet
};

class Progress {
  public:
    virtual ~Progress() = default;
    // Called after each step of at most a few hundred KiB. An error (kCancelled) stops the work soundly.
    virtual Result<void> update(const ProgressUpdate& now) = 0;
};

class NoProgress : public Progress {
  public:
    Result<void> update(const ProgressUpdate&) override { return {}; }
};

}  // namespace satchel
