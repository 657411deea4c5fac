#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Do the simulations bite? Puts faults into the session and into the life of a
client, one at a time, and counts the seeds until one fails.

Usage: mutate.py [--check] [--seeds N] [--seconds N] [NAME…]
With --check only looks whether each fault still has its place in the sources.
Else copies the sources to a temporary directory, and for each fault (or those
named) builds the simulation of that file alone and runs it. Exits with 1 if a fault survives, or
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
SAVE = 'core/bosh-session-save.c'
PLAN = 'core/bosh-session-plan.c'
STATE = 'core/bosh-session-state.c'
COMPOSE = 'core/bosh-session-compose.c'
RESPONSES = 'core/bosh-session-responses.c'
WINDOW = 'core/bosh-window.c'
OUTBOX = 'core/bosh-outbox.c'
KEYS = 'core/bosh-key-sequence.c'
BODY = 'core/bosh-body.c'
XML = 'core/bosh-xml.c'
RECONNECT = 'core/bosh-reconnect.c'

# Name, file in bosh-glib, exact old text, new text.
MUTATIONS = (
    ('a repeat has a new number', PLAN,
     '  action->rid = request->rid;\n',
     '  action->rid = request->rid = request->attempts > 1 ? self->window.next_rid++ : request->rid;\n'),
    ('a repeat has other bytes', PLAN,
     '  action->bytes = g_bytes_ref (request->bytes);\n',
     '  action->bytes = request->attempts > 1\n'
     '    ? g_bytes_new_take (g_strconcat (g_bytes_get_data (request->bytes, NULL), " ", NULL),\n'
     '                        g_bytes_get_size (request->bytes) + 1)\n'
     '    : g_bytes_ref (request->bytes);\n'),
    ('the lost response to the own end is an error', RESPONSES,
     '  if (self->termination.agreed || request->attempts > 1)\n    return TRUE;\n',
     ''),
    ('an acknowledgement covers the next request too', RESPONSES,
     '      if (request->rid > (guint64)body->ack)\n        break;\n',
     '      if (request->rid > (guint64)body->ack + 1)\n        break;\n'),
    ('responses are handed out as they come', RESPONSES,
     '''  while (request != NULL && request->response != NULL && session_is_live (self))
    {
      handle_body (self, request, now);
      /* A redirect has removed it already. */
      if (bosh_window_get_oldest (&self->window) == request)
        bosh_window_remove (&self->window, request);
      request = bosh_window_get_oldest (&self->window);
    }
''',
     '''  for (GList *link = self->window.requests.head; link != NULL && session_is_live (self);)
    {
      request = link->data;
      link = link->next;
      if (request->response == NULL)
        continue;
      handle_body (self, request, now);
      bosh_window_remove (&self->window, request);
    }
'''),
    ('a forgotten request ends the session', RESPONSES,
     '  return session_server_sorts (self) &&\n',
     '  return FALSE &&\n'),
    ('a response is handed out twice', RESPONSES,
     '''  payloads = bosh_response_body_dup_payloads (body);
  if (body->is_echo)
''',
     '''  payloads = bosh_response_body_dup_payloads (body);
  if (request->attempts > 1 && payloads->len > 0)
    g_ptr_array_add (payloads, bosh_element_ref (g_ptr_array_index (payloads, 0)));
  if (body->is_echo)
'''),
    ('the window counts what is in flight', PLAN,
     '  gboolean has_room = bosh_window_get_n_requests (&self->window) < get_limit (self);\n',
     '  gboolean has_room = bosh_window_get_n_in_flight (&self->window) < get_limit (self);\n'),
    ('the window is one too large', PLAN,
     'self->granted.requests != 0 ? self->granted.requests :',
     'self->granted.requests != 0 ? self->granted.requests + 1 :'),
    ('a request may overtake another', PLAN,
     '''  if (repeated)
    return request->written_at + CAREFUL_GUARD;
  if (!request->overtakable)
''',
     '''  if (TRUE)
'''),
    ('a request may leave before another is written', PLAN,
     '''  if (!request->in_flight || request->written_at == NEVER)
    return NEVER;

  if (repeated)
''',
     '''  if (!request->in_flight || request->written_at == NEVER)
    return request->in_flight ? AT_ONCE : NEVER;

  if (repeated)
'''),
    ('what is sent counts as delivered', PLAN,
     '''  send_request (self, session_compose (self, kind), now);
''',
     '''  send_request (self, session_compose (self, kind), now);
  session_deliver_up_to (self, self->outbox.sent_serial);
'''),
    ('a release proves too much', RESPONSES,
     '    self->holding = HOLDING_NEVER;\n',
     '    self->holding = HOLDING;\n'),
    ('an end proves delivery', RESPONSES,
     '  if (proves_delivery (self, body) && is_in_turn (self, request))\n',
     '  if (is_in_turn (self, request))\n'),
    ('undelivered lacks the last', OUTBOX,
     'entry->serial <= maybe_sent && entry->kind == ENTRY_STANZA',
     'entry->serial < maybe_sent && entry->kind == ENTRY_STANZA'),
    ('undelivered keeps what has arrived', OUTBOX,
     '         ((QueueEntry *)g_queue_peek_head (&self->sent))->serial <= serial)\n',
     '         ((QueueEntry *)g_queue_peek_head (&self->sent))->serial < serial)\n'),
    ('a later response makes one suspicious that is under way', RESPONSES,
     '          earlier_request->progress_at == NEVER)\n', '          TRUE)\n'),
    ('bytes that come are no reason to wait', PLAN,
     'oldest->suspected ||\n      oldest->progress_at != NEVER)', 'oldest->suspected)'),
    ('what is left out at the end is not told of', RESPONSES,
     '  push_left_out (self, body, stream, G_MAXUINT, &n_left_out);\n', ''),
    ('what is left out takes the next stanza along', XML,
     '         position->n_children < left_out->position + self->left_out->len);\n',
     '         position->n_children <= left_out->position + self->left_out->len);\n'),
    ('what is in flight counts as never sent', WINDOW,
     '      if (request->in_flight)\n        serial = MAX (serial, request->last_serial);\n', ''),
    ('what broke counts as never sent', RESPONSES,
     '''  if (failure != BOSH_FAILURE_UNREACHABLE)
    session_mark_maybe_sent (self, request);
''', ''),
    ('what never left counts as sent', RESPONSES,
     '''  if (failure != BOSH_FAILURE_UNREACHABLE)
    session_mark_maybe_sent (self, request);
''', '  session_mark_maybe_sent (self, request);\n'),
    ('a key is left out', KEYS,
     '''  self->position++;
''', '''  self->position += self->position % 7 == 6 ? 2 : 1;
'''),
    ('a key is used twice', KEYS,
     '''  self->position++;
''', '''  self->position += self->position % 7 == 6 ? 0 : 1;
'''),
    ('keys are never switched', COMPOSE,
     '  if (creation || bosh_key_sequence_get_remaining (self->keys) == 0)\n',
     '  if (creation)\n'),
    ('the key sequence has a gap', KEYS,
     '      for (guint j = 0; j < STRIDE && i + 1 < self->n_checkpoints; j++)\n',
     '      for (guint j = 1; j < STRIDE && i + 1 < self->n_checkpoints; j++)\n'),
    ('an acknowledgement is one too high', WINDOW,
     'oldest != NULL ? oldest->rid - 1 : 0;',
     'oldest != NULL ? oldest->rid : 0;'),
    ('an acknowledgement is read one too high', RESPONSES,
     '      if (request->rid > (guint64)body->ack)\n',
     '      if (request->rid > (guint64)body->ack + 1)\n'),
    ('a pause is not waited for', PLAN,
     '''      self->pause.rid != 0)
    return FALSE;
''',
     '''      FALSE)
    return FALSE;
'''),
    ('a pause is longer than allowed', SESSION,
     '  self->pause.wanted = CLAMP (seconds, 1, self->granted.max_pause);\n',
     '  self->pause.wanted = MAX (seconds, self->granted.max_pause + 1);\n'),
    ('a pause never ends', PLAN,
     '  return self->pause.until;\n',
     '  return NEVER;\n'),
    ('a poll goes out while one is held', PLAN,
     '''  if (!wait_until (self, get_new_at (self), now))
    return FALSE;
''',
     '''  Request *newest = bosh_window_get_newest (&self->window);

  if (bosh_window_get_n_requests (&self->window) == 1 && newest->kind == REQUEST_EMPTY)
    {
      if (wait_until (self, later (get_settled_at (self, newest),
                                   newest->sent_at + get_probe_interval (self)), now))
        {
          send_new (self, REQUEST_EMPTY, now);
          return TRUE;
        }
    }
  if (!wait_until (self, get_new_at (self), now))
    return FALSE;
'''),
    ('a poll goes out before what is queued', PLAN,
     '  return plan_wanted (self, now) || plan_poll (self, now);\n',
     '  return plan_poll (self, now) || plan_wanted (self, now);\n'),
    ('polls fill the window too soon', PLAN,
     '  return MAX (self->granted.polling, 1) * SECOND + TRANSIT_SPREAD;\n',
     '  return TRANSIT_SPREAD;\n'),
    ('a polling session does not keep the interval', PLAN,
     '''  if (session_is_polling (self))
    at = later (at,''',
     '''  if (FALSE)
    at = later (at,'''),
    ('a polling session has two requests out', PLAN,
     '''  if (session_is_polling (self))
    return 1;
''', ''),
    ('a server that never holds is flooded', RESPONSES,
     '''      self->poll_at = now + MIN (FIRST_POLL_DELAY << MIN (self->fast_empty, MAX_POLL_DOUBLINGS),
                                 LONGEST_POLL_DELAY);
''',
     '      self->poll_at = NEVER;\n'),
    ('inactivity is ignored', RESPONSES,
     '  if (self->granted.inactivity == 0)\n    return FALSE;\n\n  return now >',
     '  if (self->granted.inactivity < 1000)\n    return FALSE;\n\n  return now >'),
    ('the session expires too early', RESPONSES,
     '                 (self->granted.wait + self->granted.inactivity) * SECOND + EXPIRY_SLACK;\n',
     '                 self->granted.wait * SECOND + EXPIRY_SLACK;\n'),
    ('patience is shorter than wait', PLAN,
     '  gint64 patience = wait + CLAMP',
     '  gint64 patience = wait / 4 + CLAMP'),
    ('repeats have no backoff', RESPONSES,
     '  return backoff - backoff / 4 + next_jitter (self, backoff / 2);\n',
     '  return next_jitter (self, 1);\n'),
    ('Retry-After is ignored', RESPONSES,
     '  if (retry_after >= 0)\n', '  if (retry_after >= 1000)\n'),
    ('a recoverable error is not', RESPONSES,
     '  if (body->type == BOSH_BODY_ERROR)\n', '  if (body->type == BOSH_BODY_ERROR && FALSE)\n'),
    ('a recoverable error repeats one request only', RESPONSES,
     '''      if (earlier_request->response == NULL &&
          (earlier_request->in_flight || earlier_request->retry_at == NEVER))
''',
     '      if (earlier_request == request)\n'),
    ('an echo is handed out', RESPONSES,
     '  if (body->is_echo)\n', '  if (FALSE)\n'),
    ('an end is read as an ordinary response', BODY,
     '  if (g_strcmp0 (type, "terminate") == 0)\n',
     '  if (g_strcmp0 (type, "terminated") == 0)\n'),
    ('a restart is not marked', BODY,
     '  if (self->restart)\n    append_attribute (output, "xmpp:restart", "true");\n',
     ''),
    ('the end leaves what is queued', COMPOSE,
     '''  body.terminate = TRUE;
  body.stream = session_get_stream_name (self, bosh_outbox_take_stanzas (&self->outbox, payloads));
''',
     '  body.terminate = TRUE;\n'),
    ('the end is not given up', PLAN,
     '  if (wait_until (self, self->termination.give_up_at, now))\n', '  if (FALSE)\n'),
    ('the last stanza is forgotten', OUTBOX,
     '''  if (self->last != NULL && !self->last->is_sasl)
    g_ptr_array_add (elements''',
     '''  if (FALSE)
    g_ptr_array_add (elements'''),
    ('a saved session lacks what is in flight', SAVE,
     '''      bosh_session_snapshot_add_unanswered (snapshot, request->rid, request->bytes,
''',
     '''      if (!request->in_flight)
        bosh_session_snapshot_add_unanswered (snapshot, request->rid, request->bytes,
'''),
    ('a saved session lacks what is unsent', SAVE,
     '  for (GList *link = self->outbox.queue.head; link != NULL; link = link->next)\n',
     '  for (GList *link = self->outbox.queue.tail; link != NULL; link = link->next)\n'),
    ('a saved session lacks the position in the keys', SAVE,
     '      snapshot->key_position = bosh_key_sequence_get_position (self->keys);\n', ''),
    ('a restored session sends a new number', SAVE,
     '  self->window.next_rid = snapshot->next_rid;\n',
     '  self->window.next_rid = snapshot->next_rid + 1;\n'),
    ('a restored session waits for its pause', SAVE,
     '''      request->kind = REQUEST_PAUSE;
      self->pause.rid = request->rid;
''', ''),
    ('detach gives a number that was used', WINDOW,
     '      if (request->maybe_sent)\n        break;\n', ''),
    ('the old exchange stays open', RESPONSES,
     '''  session_abandon (self, request);
  request->retry_at = at;
''',
     '''  request->in_flight = FALSE;
  request->retry_at = at;
'''),
    ('what was dropped counts as delivered', RESPONSES,
     '  return !session_server_may_drop (self) ||\n         (request ==',
     '  return TRUE ||\n         (request =='),
    ('an end proves what was dropped', PLAN,
     '          if (session_server_may_drop (self))\n            session_doubt_delivery',
     '          if (FALSE)\n            session_doubt_delivery'),
    ('any server counts as one that sorts', STATE,
     '  return self->granted.sorts;\n', '  return TRUE;\n'),
    ('the patience of the path is not learned', RESPONSES,
     '  self->path_patience = earlier (self->path_patience, patience);\n', ''),
    ('a refused request is divided though others follow', RESPONSES,
     '      request->last_serial != self->outbox.sent_serial)\n    return FALSE;\n\n  n_stanzas',
     '      FALSE)\n    return FALSE;\n\n  n_stanzas'),
    ('a refused request keeps its stanzas, too', RESPONSES,
     '  GBytes *bytes = bosh_request_body_replace (request->bytes, request->payload_length, NULL);\n',
     '  GBytes *bytes = g_bytes_ref (request->bytes);\n'),
    ('stanzas follow what may be refused', PLAN,
     '      if (request->payload_length > safe_size &&', '      if (FALSE &&'),
    ('a conflict is fought over', RECONNECT,
     'kind == BOSH_ERROR_KIND_UNTRUSTED;\n',
     'kind == BOSH_ERROR_KIND_UNTRUSTED || kind == BOSH_ERROR_KIND_CONFLICT;\n'),
    ('what waits for the first session is not sent', RECONNECT,
     '(self->phase == PHASE_RESENDING || has_leftovers (self));\n',
     'self->phase == PHASE_RESENDING;\n'),
    ('connecting is tried again without being asked', RECONNECT,
     ' = self->retries_connect && !self->attaching &&', ' = !self->attaching &&'),
    ('a session that can not be attached is created anew', RECONNECT,
     ' = self->retries_connect && !self->attaching &&', ' = self->retries_connect &&'),
    ('connecting again has no bound', RECONNECT,
     ' || self->n_attempts >= self->max_attempts)\n', ')\n'),
    ('connecting returns with the first failure', RECONNECT,
     '  if (has_operation (self) && get_state_of (self->phase) != get_state_of (phase))\n',
     '  if (has_operation (self))\n'),
    ('switched off, connecting goes on', RECONNECT,
     '  if (!retries_connect && self->phase == PHASE_PAUSING)\n', '  if (FALSE)\n'),
    ('credentials that were given are not remembered', RECONNECT,
     '  self->has_credentials = TRUE;\n  self->remembered = self->enabled;\n}',
     '  self->has_credentials = TRUE;\n}'),
    ('another certificate ends the account', RECONNECT,
     'kind == BOSH_ERROR_KIND_TEMPORARY || kind == BOSH_ERROR_KIND_UNTRUSTED;\n',
     'kind == BOSH_ERROR_KIND_TEMPORARY;\n'),
    ('attempts have no bound', RECONNECT,
     ' && self->n_attempts < self->max_attempts;\n', ';\n'),
    ('there is one attempt too many', RECONNECT,
     ' && self->n_attempts < self->max_attempts;\n',
     ' && self->n_attempts <= self->max_attempts;\n'),
    ('attempts offline count', RECONNECT,
     '  if (self->offline)\n', '  if (FALSE)\n'),
    ('short sessions begin the count anew', RECONNECT,
     '  if (now - self->ready_at >= self->stable_after)\n', '  if (TRUE)\n'),
    ('delays are not doubled', RECONNECT,
     '    delay *= 2;\n', '    delay *= 1;\n'),
    ('delays are not spread', RECONNECT,
     '  return (gint64)((double)delay * (1 + draw (self)) / 2);\n', '  return delay;\n'),
    ('an attempt leaves its session behind', RECONNECT,
     '  if (self->has_session)\n    add_due (self, BOSH_RECONNECT_ACTION_ABORT);\n', ''),
    ('an attempt has no limit', RECONNECT,
     '  enter (self, PHASE_ATTEMPTING, now + ATTEMPT_TIMEOUT, NULL);\n',
     '  enter (self, PHASE_ATTEMPTING, NEVER, NULL);\n'),
    ('the network is heard too often', RECONNECT,
     '  self->hurried_at = now;\n', ''),
    ('the application is not asked after a loss', RECONNECT,
     '  add_due (self, BOSH_RECONNECT_ACTION_ASK);\n}',
     '  bosh_reconnect_handle_verdict (self, TRUE, now);\n}'),
    ('requests are not failed after a loss', RECONNECT,
     '  set_last_error (self, error);\n  fail_requests (self, error);\n',
     '  set_last_error (self, error);\n'),
    ('what was unsent goes before what was sent again', RECONNECT,
     '  prepend_all (&self->waiting, &self->unsent);\n'
     '  prepend_all (&self->waiting, &self->ahead);\n',
     '  prepend_all (&self->waiting, &self->ahead);\n'
     '  prepend_all (&self->waiting, &self->unsent);\n'),
    ('what was unsent is forgotten', RECONNECT,
     '  if (!resend)\n    g_queue_clear_full (&self->unsent, stanza_free);\n',
     '  g_queue_clear_full (&self->unsent, stanza_free);\n'),
    ('what is to be dropped is sent', RECONNECT,
     '  if (!resend)\n    g_queue_clear_full (&self->unsent, stanza_free);\n', ''),
    ('what was queued since the loss goes last', RECONNECT,
     'self->phase == PHASE_LOST ? &self->ahead : &self->waiting', '&self->waiting'),
    ('what the session refuses goes last', RECONNECT,
     '    g_queue_push_head (&self->waiting, stanza);\n  self->is_refused',
     '    g_queue_push_tail (&self->waiting, stanza);\n  self->is_refused'),
    ('what the session refuses is lost', RECONNECT,
     '  if (was_taken)\n    stanza_free (stanza);\n', '  if (TRUE)\n    stanza_free (stanza);\n'),
    ('what the session takes waits again', RECONNECT,
     '  if (was_taken)\n    stanza_free (stanza);\n',
     '  if (was_taken && self->waiting.length > 2)\n    stanza_free (stanza);\n'),
    ('what is sent in the middle overtakes what waits', RECONNECT,
     '      return !(prepares && self->phase == PHASE_PREPARING);\n',
     '      return !(prepares && self->phase == PHASE_PREPARING) &&\n'
     '             self->phase != PHASE_RESENDING;\n'),
    ('what is sent while a session is prepared overtakes what waits', RECONNECT,
     '      return !(prepares && self->phase == PHASE_PREPARING);\n',
     '      return self->phase != PHASE_PREPARING;\n'),
    ('what prepares a session waits', RECONNECT,
     '      return !(prepares && self->phase == PHASE_PREPARING);\n',
     '      return TRUE;\n'),
    ('a session is not prepared', RECONNECT,
     '  if (is_another)\n    prepare (self);\n',
     '  if (is_another)\n    resend_or_be_ready (self);\n'),
    ('nothing is held back', RECONNECT,
     '  if (hold && !self->is_released)\n', '  if (FALSE)\n'),
    ('what is held back has no limit', RECONNECT,
     '    self->deadline = now + BOSH_RECONNECT_HOLD_LIMIT * SECOND;\n',
     '    self->deadline = now + 2 * BOSH_RECONNECT_HOLD_LIMIT * SECOND;\n'),
    ('a release in the handler is not heard', RECONNECT,
     '    self->is_released = TRUE;\n', '    ;\n'),
    ('the handler of a lost session holds back in the next', RECONNECT,
     '  return self->phase == PHASE_PREPARING && !is_due (self, BOSH_RECONNECT_ACTION_PREPARE);\n',
     '  return self->phase == PHASE_PREPARING;\n'),
    ('an attempt connects after the end', RECONNECT,
     '  remove_due (self, BOSH_RECONNECT_ACTION_CONNECT);\n', ''),
    ('a login begins after the end', RECONNECT,
     '  remove_due (self, BOSH_RECONNECT_ACTION_LOGIN);\n', ''),
    ('the end names the failure before', RECONNECT,
     '''      close_with (self, error);
      return;
    }

  abort_session''',
     '''      close_with (self, self->last_error);
      return;
    }

  abort_session'''),
    ('a time-out is not named at the end', RECONNECT,
     '  set_error (&self->end_error, error);\n', ''),
    ('switched off, it goes on', RECONNECT,
     '      !bosh_reconnect_is_logged_in (self))\n    close_with (self, self->last_error);\n',
     '      !bosh_reconnect_is_logged_in (self))\n    ;\n'),
    ('credentials are kept after the end', RECONNECT,
     '  self->remembered = FALSE;\n  /* The lost', '  /* The lost'),
    ('credentials are forgotten too soon', RECONNECT,
     '  set_last_error (self, error);\n  enter (self, PHASE_WAITING,',
     '  set_last_error (self, error);\n  self->remembered = FALSE;\n  enter (self, PHASE_WAITING,'),
    ('a failed first login is remembered', RECONNECT,
     '      self->remembered = FALSE;\n      set_last_error (self, error);\n',
     '      set_last_error (self, error);\n'),
    ('a person who asks uses attempts up', RECONNECT,
     '  set_n_attempts (self, 0);\n  self->n_tries = 0;\n  start', '  start'),
    ('a verdict comes while a stanza is being handed over', RECONNECT,
     '      return is_due (self, type) && self->resending == NULL;\n',
     '      return is_due (self, type);\n'),
    ('a session is ended twice', RECONNECT,
     '    case PHASE_NEW:\n    case PHASE_DISCONNECTING:\n    case PHASE_DETACHED:\n    case PHASE_CLOSED:\n'
     '    default:\n      break;\n',
     '    case PHASE_DISCONNECTING:\n      add_due (self, BOSH_RECONNECT_ACTION_DISCONNECT);\n      break;\n'
     '    case PHASE_NEW:\n    case PHASE_DETACHED:\n    case PHASE_CLOSED:\n'
     '    default:\n      break;\n'),
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


def get_program(path):
    """The simulation of a file of bosh-glib."""
    return 'tests/simulation/' + ('simulate-client' if path == RECONNECT else 'simulate')


def run(build, name, seeds, seconds):
    """(seeds until one failed, how), or None if all passed."""
    program = subprocess.Popen([os.path.join(build, name), f'--seeds={seeds}'],
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
    if '# never met: ' in output:
        return seeds, 'not all is met'
    if program.returncode != 0:
        raise RuntimeError(f'{name} gave {program.returncode}:\n{output[-2000:]}')
    return None


def build_program(build, name):
    subprocess.run(['ninja', '-C', build, name], stdout=subprocess.DEVNULL, check=True)


def mutate(names, seeds, seconds):
    survivors = []
    with tempfile.TemporaryDirectory(prefix='bosh-mutate-') as directory:
        source = os.path.join(directory, 'source')
        build = os.path.join(directory, 'build')
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns('.git'))
        subprocess.run(['meson', 'setup', '-Dintrospection=disabled', '-Dbuildtype=debugoptimized',
                        '-Dwerror=false', build, source], stdout=subprocess.DEVNULL, check=True)
        for program in sorted({get_program(path) for _, path, _, _ in MUTATIONS}):
            build_program(build, program)
            if run(build, program, min(seeds, 5000), seconds) is not None:
                raise RuntimeError('a seed fails without any fault')

        print(f'| {"fault": <52} | seeds until caught |\n| {"-" * 52} | ------------------ |')
        for name, path, old, new in MUTATIONS:
            if names and name not in names:
                continue
            program = get_program(path)
            path = os.path.join(source, 'bosh-glib', path)
            original = read(path)
            write(path, original.replace(old, new))
            build_program(build, program)
            result = run(build, program, seeds, seconds)
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
