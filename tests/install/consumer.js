// SPDX-License-Identifier: LGPL-2.1-or-later

import Bosh from 'gi://Bosh?version=1.0';

const element = Bosh.Element.new('message', 'jabber:client');
print(element.to_string());
