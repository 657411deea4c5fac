#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Does the simulation bite? Puts faults into the session, one at a time, and
counts the seeds until one fails.

Usage: mutate.py [--check] [--seeds N] [--seconds N] [NAME…]
With --check only looks whether each fault still has its place in the sources.
Else copies the sources to a temporary directory, and for each fault (or those
named) builds `simulate` alone and runs it. Exits with 1 if a fault survives, or
has no place any more.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SESSION = 'core/bosh-session.c'
ANSWERS = 'core/bosh-session-responses.c'
PLAN = 'core/bosh-session-plan.c'
BODY = 'core/bosh-body.c'
KEYS = 'core/bosh-key-sequence.c'

# Name, file in bosh-glib, exact old text, new text.
MUTATIONS = (
    ('a repeat has a new number', PLAN,
     '  action->rid = request->rid;\n',
     '  action->rid = request->rid = request->attempts > 1 ? self->next_rid++ : request->rid;\n'),
    ('a repeat has other bytes', PLAN,
     '  action->bytes = g_bytes_ref (request->bytes);\n',
     '  action->bytes = request->attempts > 1\n'
     '    ? g_bytes_new_take (g_strconcat (g_bytes_get_data (request->bytes, NULL), " ", NULL),\n'
     '                        g_bytes_get_size (request->bytes) + 1)\n'
     '    : g_bytes_ref (request->bytes);\n'),
    ('answers are handed out as they come', ANSWERS,
     '''  while (request != NULL && request->response != NULL && session_is_live (self))
    {
      handle_body (self, request, now);
      /* It is gone already where the session was sent elsewhere. */
      if (g_queue_peek_head (&self->window) == request)
        session_remove_request (self, request);
      request = g_queue_peek_head (&self->window);
    }
''',
     '''  for (GList *link = self->window.head; link != NULL && session_is_live (self);)
    {
      request = link->data;
      link = link->next;
      if (request->response == NULL)
        continue;
      handle_body (self, request, now);
      session_remove_request (self, request);
    }
'''),
    ('a forgotten request ends the session', ANSWERS,
     '  return session_server_sorts (self) &&\n',
     '  return FALSE &&\n'),
    ('an answer is handed out twice', ANSWERS,
     '''  payloads = bosh_response_body_dup_payloads (body);
  if (body->is_echo)
''',
     '''  payloads = bosh_response_body_dup_payloads (body);
  if (request->attempts > 1 && payloads->len > 0)
    g_ptr_array_add (payloads, bosh_element_ref (g_ptr_array_index (payloads, 0)));
  if (body->is_echo)
'''),
    ('the window counts what is in flight', PLAN,
     '  guint open = self->window.length;\n',
     '  guint open = session_count_in_flight (self);\n'),
    ('the window is one too large', PLAN,
     'return self->requests != 0 ? self->requests : MAX (self->hold + 1, 2);',
     'return self->requests != 0 ? self->requests + 1 : MAX (self->hold + 1, 2);'),
    ('a request may overtake another', PLAN,
     'return (!repeated && !request->overtakable) || is_due (self, request->written_at + guard, now);',
     'return TRUE;'),
    ('a request may leave before another is written', PLAN,
     '''  if (!request->in_flight || request->written_at == NEVER)
    return FALSE;
  /* What is sent behind''',
     '''  if (!request->in_flight || request->written_at == NEVER)
    return request->in_flight;
  /* What is sent behind'''),
    ('what is sent counts as delivered', PLAN,
     '''  self->last_new_at = now;
  send_request (self, request, now);
''',
     '''  self->last_new_at = now;
  send_request (self, request, now);
  session_deliver_up_to (self, request->last_serial);
'''),
    ('a release proves too much', ANSWERS,
     '    self->never_holds = TRUE;\n',
     '    self->never_holds = FALSE;\n'),
    ('an end proves delivery', ANSWERS,
     '  if (body->type != BOSH_BODY_TERMINATE || (body->condition == NULL && body->stream != NULL) ||\n',
     '  if (TRUE ||\n'),
    ('undelivered lacks the last', SESSION,
     'stanza->serial <= left && stanza->kind == ORDER_STANZA',
     'stanza->serial < left && stanza->kind == ORDER_STANZA'),
    ('what broke counts as never sent', ANSWERS,
     '''  if (failure != BOSH_FAILURE_UNREACHABLE)
    session_mark_left (self, request);
''', ''),
    ('what never left counts as sent', ANSWERS,
     '''  if (failure != BOSH_FAILURE_UNREACHABLE)
    session_mark_left (self, request);
''', '  session_mark_left (self, request);\n'),
    ('a key is left out', KEYS,
     '''  self->position++;
''', '''  self->position += self->position % 7 == 6 ? 2 : 1;
'''),
    ('a key is used twice', KEYS,
     '''  self->position++;
''', '''  self->position += self->position % 7 == 6 ? 0 : 1;
'''),
    ('keys are never switched', PLAN,
     '  if (creation || bosh_key_sequence_get_remaining (self->keys) == 0)\n',
     '  if (creation)\n'),
    ('the key sequence has a gap', KEYS,
     '      for (guint j = 0; j < STRIDE && i + 1 < n_checkpoints; j++)\n',
     '      for (guint j = 1; j < STRIDE && i + 1 < n_checkpoints; j++)\n'),
    ('an acknowledgement is one too high', PLAN,
     'oldest != NULL ? oldest->rid - 1 : 0;',
     'oldest != NULL ? oldest->rid : 0;'),
    ('an acknowledgement is read one too high', ANSWERS,
     '      if (request->rid > (guint64)body->ack)\n',
     '      if (request->rid > (guint64)body->ack + 1)\n'),
    ('a pause is not waited for', PLAN,
     '''      self->pause_rid != 0)
    return FALSE;
''',
     '''      FALSE)
    return FALSE;
'''),
    ('a pause is longer than allowed', SESSION,
     '  self->pause_wanted = CLAMP (seconds, 1, self->max_pause);\n',
     '  self->pause_wanted = MAX (seconds, self->max_pause + 1);\n'),
    ('a pause never ends', PLAN,
     '      self->restarts.length == 0 && !is_due (self, self->paused_until, now))\n',
     '      self->restarts.length == 0)\n'),
    ('a poll goes out while one is held', PLAN,
     '''  if (!has_work (self) ||
      (last != NULL && (is_trial (self, last) || !is_settled (self, last, now))))
    return FALSE;
''',
     '''  if (last != NULL && !is_settled (self, last, now))
    return FALSE;
  if (self->window.length == 1 && last->kind == REQUEST_EMPTY &&
      is_due (self, last->sent_at + get_probe_interval (self), now))
    {
      send_new (self, REQUEST_EMPTY, now);
      return TRUE;
    }
'''),
    ('a poll goes out before what is queued', PLAN,
     '  return plan_wanted (self, now) || plan_poll (self, now);\n',
     '  return plan_poll (self, now) || plan_wanted (self, now);\n'),
    ('polls fill the window too soon', PLAN,
     '  return MAX (self->polling, 1) * SECOND + TRANSIT_SPREAD;\n',
     '  return TRANSIT_SPREAD;\n'),
    ('a polling session does not keep the interval', PLAN,
     '  if (session_is_polling (self) &&\n'
     '      !is_due (self, MAX (self->last_new_at, self->last_contact) + self->polling * SECOND, now))\n'
     '    return FALSE;\n', ''),
    ('a polling session has two requests out', PLAN,
     '''  if (session_is_polling (self))
    return 1;
''', ''),
    ('a server that never holds is flooded', ANSWERS,
     '      self->poll_at = now + MIN (100 * MILLISECOND << MIN (self->fast_empty, 8), LONGEST_POLL_DELAY);\n',
     '      self->poll_at = NEVER;\n'),
    ('inactivity is ignored', ANSWERS,
     '  if (self->inactivity == 0)\n    return FALSE;\n\n  return now >',
     '  if (self->inactivity < 1000)\n    return FALSE;\n\n  return now >'),
    ('the session expires too early', ANSWERS,
     '                 (self->wait + self->inactivity) * SECOND + EXPIRY_SLACK;\n',
     '                 self->wait * SECOND + EXPIRY_SLACK;\n'),
    ('patience is shorter than wait', PLAN,
     '''  gint64 patience = self->wait * SECOND +
''',
     '''  gint64 patience = self->wait * SECOND / 4 +
'''),
    ('repeats have no backoff', ANSWERS,
     '  return backoff - backoff / 4 + next_jitter (self, backoff / 2);\n',
     '  return next_jitter (self, 1);\n'),
    ('Retry-After is ignored', ANSWERS,
     '  if (retry_after >= 0)\n', '  if (retry_after >= 1000)\n'),
    ('a recoverable error is not', ANSWERS,
     '  if (body->type == BOSH_BODY_ERROR)\n', '  if (body->type == BOSH_BODY_ERROR && FALSE)\n'),
    ('a recoverable error repeats one request only', ANSWERS,
     '''      if (earlier_request->response == NULL &&
          (earlier_request->in_flight || earlier_request->retry_at == NEVER))
''',
     '      if (earlier_request == request)\n'),
    ('an echo is handed out', ANSWERS,
     '  if (body->is_echo)\n', '  if (FALSE)\n'),
    ('an end is read as an ordinary answer', BODY,
     '  if (g_strcmp0 (type, "terminate") == 0)\n',
     '  if (g_strcmp0 (type, "terminated") == 0)\n'),
    ('a restart is not marked', BODY,
     '  if (self->restart)\n    append_attribute (output, "xmpp:restart", "true");\n',
     ''),
    ('the end leaves what is queued', PLAN,
     '  if (kind == REQUEST_PAYLOAD || kind == REQUEST_TERMINATE)\n',
     '  if (kind == REQUEST_PAYLOAD)\n'),
    ('the end is not given up', PLAN,
     '  if (is_due (self, self->give_up_at, now))\n', '  if (FALSE)\n'),
    ('the last stanza is forgotten', SESSION,
     '''  if (self->last_stanza != NULL)
    g_ptr_array_add (elements''',
     '''  if (FALSE)
    g_ptr_array_add (elements'''),
    ('a saved session lacks what is in flight', SESSION,
     '''      bosh_session_snapshot_add_unanswered (saved, request->rid, request->bytes,
''',
     '''      if (!request->in_flight)
        bosh_session_snapshot_add_unanswered (saved, request->rid, request->bytes,
'''),
    ('a saved session lacks what is unsent', SESSION,
     '''  for (GList *link = self->queue.head; link != NULL; link = link->next)
    save_stanza''',
     '''  for (GList *link = self->queue.tail; link != NULL; link = link->next)
    save_stanza'''),
    ('a saved session lacks the position in the keys', SESSION,
     '      saved->key_position = bosh_key_sequence_get_position (self->keys);\n', ''),
    ('a restored session sends a new number', SESSION,
     '  self->next_rid = saved->next_rid;\n', '  self->next_rid = saved->next_rid + 1;\n'),
    ('a restored session waits for its pause', SESSION,
     '''      request->kind = REQUEST_PAUSE;
      self->pause_rid = request->rid;
''', ''),
    ('detach gives a number that was used', SESSION,
     '      if (request->left)\n        break;\n', ''),
    ('the old exchange stays open', ANSWERS,
     '''  session_abandon (self, request);
  request->retry_at = at;
''',
     '''  request->in_flight = FALSE;
  request->retry_at = at;
'''),
)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def write(path, text):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def check():
    """All faults whose old text is not there exactly once."""
    misplaced = [name for name, path, old, _ in MUTATIONS
                 if read(os.path.join(ROOT, 'bosh-glib', path)).count(old) != 1]
    for name in misplaced:
        print(f'has no place, or more than one: {name}')
    return misplaced


def run(build, seeds, seconds):
    """(seeds until one failed, how), or None if all passed."""
    program = subprocess.Popen([os.path.join(build, 'tests', 'simulation', 'simulate'), f'--seeds={seeds}'],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    how = ''
    try:
        output, _ = program.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        program.terminate()
        output, _ = program.communicate()
        how = f'no end in {seconds} s'
    for line in output.splitlines():
        if line.startswith('# failing seed: '):
            return int(line.rsplit(' ', 1)[1]), how
    if program.returncode != 0:
        raise RuntimeError(f'simulate gave {program.returncode}:\n{output[-2000:]}')
    return None


def build_simulate(build):
    subprocess.run(['ninja', '-C', build, 'tests/simulation/simulate'], stdout=subprocess.DEVNULL, check=True)


def mutate(names, seeds, seconds):
    survivors = []
    with tempfile.TemporaryDirectory(prefix='bosh-mutate-') as directory:
        source = os.path.join(directory, 'source')
        build = os.path.join(directory, 'build')
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns('.git'))
        subprocess.run(['meson', 'setup', '-Dintrospection=disabled', '-Dbuildtype=debugoptimized',
                        '-Dwerror=false', build, source], stdout=subprocess.DEVNULL, check=True)
        build_simulate(build)
        if run(build, min(seeds, 5000), seconds) is not None:
            raise RuntimeError('a seed fails without any fault')

        print(f'| {"fault": <52} | seeds until caught |\n| {"-" * 52} | ------------------ |')
        for name, path, old, new in MUTATIONS:
            if names and name not in names:
                continue
            path = os.path.join(source, 'bosh-glib', path)
            original = read(path)
            write(path, original.replace(old, new))
            build_simulate(build)
            result = run(build, seeds, seconds)
            write(path, original)
            if result is None:
                survivors.append(name)
            caught = 'survives' if result is None else ' '.join(
                [str(result[0])] + ([f'({result[1]})'] if result[1] else []))
            print(f'| {name: <52} | {caught: >18} |', flush=True)
    return survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--seeds', type=int, default=20000)
    parser.add_argument('--seconds', type=int, default=120)
    parser.add_argument('names', nargs='*', metavar='NAME')
    arguments = parser.parse_args()

    if check():
        return 1
    if arguments.check:
        return 0
    survivors = mutate(arguments.names, arguments.seeds, arguments.seconds)
    if survivors:
        print(f'{len(survivors)} survived: ' + ', '.join(survivors))
    return 1 if survivors else 0


if __name__ == '__main__':
    sys.exit(main())
