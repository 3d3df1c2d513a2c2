// How damage of the store is told, by commands and by who serves the site.
#pragma once

#include "cli/commands/output.hpp"
#include "engine/site/site.hpp"

namespace satchel::commands {

void say_damage(Output& output, const store::Damage& damage);
void say_loss(Output& output, const site::Loss& loss);

}  // namespace satchel::commands
