#include "engine/env/os/beside.hpp"

#include <system_error>

#include "engine/base/check.hpp"

namespace satchel::env::os {

Beside::~Beside() {
    if (thread_.joinable()) thread_.join();
}

void Beside::begin(std::function<int()> call) {
    SATCHEL_CHECK(!is_begun_);
    is_begun_ = true;
    try {
        thread_ = std::thread([this, call] { said_ = call(); });
    } catch (const std::system_error&) {
        said_ = call();
    }
}

int Beside::end() {
    SATCHEL_CHECK(is_begun_);
    if (thread_.joinable()) thread_.join();
    is_begun_ = false;
    return said_;
}

}  // namespace satchel::env::os
