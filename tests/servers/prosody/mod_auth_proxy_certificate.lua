-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- SASL EXTERNAL over BOSH: TLS ends at a proxy in front, which checks the
-- client's certificate and tells us the subject in a header. For tests: it
-- trusts the header, whoever sent it.

local new_sasl = require "util.sasl".new;

module:hook_global("bosh-session", function (event)
	local headers = event.request.headers;
	if headers.x_client_verify == "SUCCESS" then
		event.session.certificate_user = (headers.x_client_subject or ""):match("CN=([^,]+)");
	end
end);

local provider = {};

function provider.get_sasl_handler(session)
	local user = session.certificate_user;
	local profile = {};
	if user then
		function profile.external(authzid)
			if authzid == "" or authzid == user.."@"..module.host then
				return user, true;
			end
		end
	end
	return new_sasl(module.host, profile);
end

function provider.user_exists()
	return true;
end

module:provides("auth", provider);
