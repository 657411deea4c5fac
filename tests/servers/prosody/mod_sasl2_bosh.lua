-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- XEP-0388 over BOSH with the mod_sasl2 of Debian 12. It asks of what kind a
-- session is, which mod_bosh of Prosody 0.12 does not say. And after a failure it
-- goes on with what has failed, so that the next try would be refused, too.

module:depends("sasl2");

module:hook_global("bosh-session", function (event)
	if event.session.host == module.host then
		event.session.base_type = "c2s";
	end
end);

local function forget(event)
	local session = event.session;
	session.sasl_handler = session.sasl_handler and session.sasl_handler:clean_clone();
end

module:hook("sasl2/c2s/failure", forget, 1);
module:hook("sasl2/c2s/error", forget, 1);
