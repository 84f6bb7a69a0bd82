// SPDX-License-Identifier: Apache-2.0
//
// The seconds of a duration as Prometheus writes it: 90s, 1h30m, 1w.
function(duration)
  local units = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
  local step(state, c) =
    if c >= '0' && c <= '9' then state { number: state.number + c }
    else if state.number == '' || !(c in units) then error 'not a duration in w, d, h, m, s: ' + duration
    else { number: '', total: state.total + std.parseInt(state.number) * units[c] };
  local end = std.foldl(step, std.stringChars(duration), { number: '', total: 0 });
  if end.number != '' || duration == '' then error 'not a duration in w, d, h, m, s: ' + duration else end.total
