/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <glib-object.h>

#include "bosh-error.h"
#include "bosh-version-macros.h"

G_BEGIN_DECLS

#define BOSH_TYPE_ELEMENT (bosh_element_get_type ())

typedef struct _BoshElement BoshElement;

BOSH_AVAILABLE_IN_1_0
GType        bosh_element_get_type          (void);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_new               (const char       *name,
                                             const char       *ns);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_new_message       (const char       *to,
                                             const char       *type,
                                             const char       *body);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_new_presence      (const char       *to,
                                             const char       *type);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_new_iq            (const char       *to,
                                             const char       *type,
                                             BoshElement      *payload);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_new_iq_result     (BoshElement      *request,
                                             BoshElement      *payload);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_new_error_reply   (BoshElement      *request,
                                             BoshStanzaError   condition,
                                             const char       *text);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_new_from_string   (const char       *text,
                                             GError          **error);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_ref               (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
void         bosh_element_unref             (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_copy              (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
gboolean     bosh_element_equal             (BoshElement      *self,
                                             BoshElement      *other);
BOSH_AVAILABLE_IN_1_0
gboolean     bosh_element_is_sealed         (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
GError      *bosh_element_dup_error         (BoshElement      *self);

BOSH_AVAILABLE_IN_1_0
const char  *bosh_element_get_name          (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
const char  *bosh_element_get_namespace     (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
gboolean     bosh_element_matches           (BoshElement      *self,
                                             const char       *name,
                                             const char       *ns);

BOSH_AVAILABLE_IN_1_0
const char  *bosh_element_get_attribute     (BoshElement      *self,
                                             const char       *name);
BOSH_AVAILABLE_IN_1_0
const char  *bosh_element_get_attribute_ns  (BoshElement      *self,
                                             const char       *name,
                                             const char       *ns);
BOSH_AVAILABLE_IN_1_0
void         bosh_element_set_attribute     (BoshElement      *self,
                                             const char       *name,
                                             const char       *value);
BOSH_AVAILABLE_IN_1_0
void         bosh_element_set_attribute_ns  (BoshElement      *self,
                                             const char       *name,
                                             const char       *ns,
                                             const char       *value);
BOSH_AVAILABLE_IN_1_0
guint        bosh_element_get_n_attributes  (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
const char  *bosh_element_get_nth_attribute (BoshElement      *self,
                                             guint             position,
                                             const char      **ns,
                                             const char      **value);

BOSH_AVAILABLE_IN_1_0
char        *bosh_element_dup_text          (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
void         bosh_element_set_text          (BoshElement      *self,
                                             const char       *text);
BOSH_AVAILABLE_IN_1_0
void         bosh_element_add_text          (BoshElement      *self,
                                             const char       *text);

BOSH_AVAILABLE_IN_1_0
void         bosh_element_add_child         (BoshElement      *self,
                                             BoshElement      *child);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_add_new_child     (BoshElement      *self,
                                             const char       *name,
                                             const char       *ns);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_get_child         (BoshElement      *self,
                                             const char       *name,
                                             const char       *ns);
BOSH_AVAILABLE_IN_1_0
char        *bosh_element_dup_child_text    (BoshElement      *self,
                                             const char       *name,
                                             const char       *ns);
BOSH_AVAILABLE_IN_1_0
guint        bosh_element_get_n_children    (BoshElement      *self);
BOSH_AVAILABLE_IN_1_0
BoshElement *bosh_element_get_nth_child     (BoshElement      *self,
                                             guint             position);
BOSH_AVAILABLE_IN_1_0
GPtrArray   *bosh_element_dup_children      (BoshElement      *self);

BOSH_AVAILABLE_IN_1_0
char        *bosh_element_to_string         (BoshElement      *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshElement, bosh_element_unref)

G_END_DECLS
