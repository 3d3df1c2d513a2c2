// One call of the kernel that goes on beside the caller, on a thread of its own.
#pragma once

#include <functional>
#include <optional>
#include <thread>

namespace satchel::env::os {

class Beside {
  public:
    Beside() = default;
    Beside(const Beside&) = delete;
    Beside& operator=(const Beside&) = delete;
    ~Beside();  // waits

    // `call` says what errno said, or 0. A box that refuses the thread waits for it here.
    void begin(std::function<int()> call);
    [[nodiscard]] bool is_begun() const { return is_begun_; }
    int end();  // waits; what the call said

  private:
    std::thread thread_;
    int said_ = 0;
    bool is_begun_ = false;
};

}  // namespace satchel::env::os
