/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-element-private.h"

#include <string.h>

/**
 * BoshElement:
 *
 * An XML element: a stanza, or a part of one.
 *
 * An element has a name, a namespace, attributes, and contents: text and other
 * elements, its children, in order. It is reference counted.
 *
 * A new element is mutable. It is *sealed* for good, with all that it contains,
 * as soon as it is sent, and elements that were received are sealed from the
 * beginning: so a sealed element can be shared freely, between threads too. To
 * send a variation of a sealed element, take a mutable copy with
 * [method@Element.copy]. Calling a setter on a sealed element is a programming
 * error. A mutable element may be used by one thread at a time.
 *
 * # Namespaces
 *
 * An element without a namespace (`NULL`) takes that of the element in which it
 * stands; at the top, where a stanza is sent, that is `jabber:client`. So the
 * parts of a stanza that belong to the same namespace need not repeat it. The
 * empty string means that an element is in no namespace at all, wherever it
 * stands. Names never have a prefix: prefixes are made up where the XML needs
 * them.
 *
 * ```c
 * g_autoptr(BoshElement) message = bosh_element_new_message ("romeo@example.net", "chat", "Hi");
 *
 * bosh_element_add_new_child (message, "active", "http://jabber.org/protocol/chatstates");
 * ```
 *
 * # What XML can't have
 *
 * Most control characters can't be written in XML (XML 1.0 §2.2), and names are
 * limited too (Namespaces in XML 1.0 §3). Setters accept any text, but an element
 * that can't be written can't be sent: that fails with
 * `BOSH_ERROR_INVALID_STANZA`.
 *
 * Since: 1.0
 */

typedef struct
{
  gsize length;
  gsize allocated;
  char  data[];
} BoshText;

typedef struct
{
  /* The three strings are in one block of memory, which begins with the name. */
  const char *name;
  const char *ns;
  const char *value;
} BoshAttribute;

typedef struct
{
  BoshElement *element;
  BoshText    *tail;  /* the text behind the child, nullable */
} BoshChild;

/* The strings and attributes that an element is made with follow the struct in the
 * same block of memory. Those that are set later have memory of their own;
 * is_in_block() tells the two apart. */
struct _BoshElement
{
  union
  {
    const char  *name;
    BoshElement *next_dead;  /* while elements are being freed */
  };
  const char      *ns;
  BoshAttribute   *attributes;
  BoshText        *text;      /* the text before the first child, nullable */
  BoshChild       *children;
  gsize            block_size;
  guint            n_attributes;
  guint            n_attributes_allocated;
  guint            n_children;
  guint            n_children_allocated;
  gatomicrefcount  ref_count;
  /* These are not written in a sealed element, as other threads may read them. */
  guint            sealed : 1;
  guint            is_secret : 1;
  guint            has_parent : 1;
};

G_DEFINE_BOXED_TYPE (BoshElement, bosh_element, bosh_element_ref, bosh_element_unref)

static BoshText *
text_append (BoshText   *self,
             const char *text,
             gsize       length)
{
  gsize needed = length + 1;
  gsize old_length = 0;

  if (self != NULL)
    {
      old_length = self->length;
      needed = MAX (old_length + needed, self->allocated);
      if (needed > self->allocated)
        needed += needed / 2;
    }

  if (self == NULL || needed > self->allocated)
    {
      self = g_realloc (self, sizeof (BoshText) + needed);
      self->allocated = needed;
    }

  memcpy (self->data + old_length, text, length);
  self->length = old_length + length;
  self->data[self->length] = '\0';

  return self;
}

static void
text_free (BoshText *self,
           gboolean  is_secret)
{
  if (self != NULL && is_secret)
    explicit_bzero (self->data, self->length);
  g_free (self);
}

static gboolean
text_equal (const BoshText *a,
            const BoshText *b)
{
  if (a == NULL || b == NULL)
    return a == b;

  return a->length == b->length && memcmp (a->data, b->data, a->length) == 0;
}

static gboolean
is_in_block (BoshElement   *self,
             gconstpointer  pointer)
{
  return GPOINTER_TO_SIZE (pointer) - GPOINTER_TO_SIZE (self) < self->block_size;
}

static const char *
put_string (char       **cursor,
            const char  *text,
            gsize        length)
{
  char *copy = *cursor;

  memcpy (copy, text, length);
  copy[length] = '\0';
  *cursor += length + 1;

  return copy;
}

BoshElement *
bosh_element_new_with_attributes (const char                *name,
                                  const char                *ns,
                                  const BoshAttributeSource *attributes,
                                  guint                      n_attributes,
                                  gsize                     *budget)
{
  gsize name_length = strlen (name);
  gsize namespace_length = ns != NULL ? strlen (ns) : 0;
  gsize size = sizeof (BoshElement) + n_attributes * sizeof (BoshAttribute);
  BoshElement *self;
  char *cursor;

  size += name_length + 1 + namespace_length + 1;
  for (guint i = 0; i < n_attributes; i++)
    {
      size += strlen (attributes[i].name) + 1 + attributes[i].value_length + 1;
      if (attributes[i].ns != NULL)
        size += strlen (attributes[i].ns) + 1;
    }

  if (budget != NULL)
    {
      /* The array of children of the parent may be half empty. */
      gsize cost = size + 2 * sizeof (BoshChild);

      if (cost > *budget)
        return NULL;
      *budget -= cost;
    }

  self = g_malloc (size);
  memset (self, 0, sizeof (BoshElement));
  g_atomic_ref_count_init (&self->ref_count);
  self->block_size = size;
  self->attributes = (BoshAttribute *)(self + 1);
  self->n_attributes = n_attributes;
  self->n_attributes_allocated = n_attributes;

  cursor = (char *)(self->attributes + n_attributes);
  self->name = put_string (&cursor, name, name_length);
  if (ns != NULL)
    self->ns = put_string (&cursor, ns, namespace_length);
  for (guint i = 0; i < n_attributes; i++)
    {
      const BoshAttributeSource *source = &attributes[i];
      BoshAttribute *attribute = &self->attributes[i];

      attribute->name = put_string (&cursor, source->name, strlen (source->name));
      attribute->ns = NULL;
      if (source->ns != NULL)
        attribute->ns = put_string (&cursor, source->ns, strlen (source->ns));
      attribute->value = put_string (&cursor, source->value, source->value_length);
    }

  return self;
}

gsize
bosh_element_append_text (BoshElement *self,
                          const char  *text,
                          gsize        length)
{
  BoshText **place;
  gsize before;

  if (length == 0)
    return 0;

  place = self->n_children == 0 ? &self->text
                                : &self->children[self->n_children - 1].tail;
  before = *place != NULL ? sizeof (BoshText) + (*place)->allocated : 0;
  *place = text_append (*place, text, length);

  return sizeof (BoshText) + (*place)->allocated - before;
}

void
bosh_element_take_child (BoshElement *self,
                         BoshElement *child)
{
  if (!child->sealed)
    child->has_parent = TRUE;

  if (self->n_children == self->n_children_allocated)
    {
      self->n_children_allocated = MAX (2, self->n_children_allocated * 2);
      self->children = g_renew (BoshChild, self->children, self->n_children_allocated);
    }

  self->children[self->n_children].element = child;
  self->children[self->n_children].tail = NULL;
  self->n_children++;
}

void
bosh_element_drop_last_child (BoshElement *self)
{
  bosh_element_unref (self->children[--self->n_children].element);
}

void
bosh_element_seal (BoshElement *self)
{
  g_autoptr(GPtrArray) pending = NULL;

  if (self->sealed)
    return;

  /* An application may nest elements deeper than the stack allows, so that there
   * is no recursion here, nor in the functions below. */
  while (self != NULL)
    {
      self->sealed = TRUE;
      for (guint i = 0; i < self->n_children; i++)
        {
          BoshElement *child = self->children[i].element;

          if (child->sealed)
            continue;
          if (child->n_children == 0)
            {
              child->sealed = TRUE;
              continue;
            }
          if (pending == NULL)
            pending = g_ptr_array_new ();
          g_ptr_array_add (pending, child);
        }

      self = NULL;
      if (pending != NULL && pending->len > 0)
        self = g_ptr_array_steal_index_fast (pending, pending->len - 1);
    }
}

void
bosh_element_mark_secret (BoshElement *self)
{
  self->is_secret = TRUE;
  for (guint i = 0; i < self->n_children; i++)
    {
      if (!self->children[i].element->sealed)
        self->children[i].element->is_secret = TRUE;
    }
}

/* Is the mutable @part the element itself, or anywhere in it? A sealed element has
 * no mutable part, so it is not searched. */
static gboolean
contains (BoshElement *self,
          BoshElement *part)
{
  g_autoptr(GPtrArray) pending = NULL;

  if (self == part)
    return TRUE;

  /* An element that was not added to any other can't be in this one. */
  if (!part->has_parent || self->sealed)
    return FALSE;

  pending = g_ptr_array_new ();
  g_ptr_array_add (pending, self);
  while (pending->len > 0)
    {
      BoshElement *element = g_ptr_array_steal_index_fast (pending, pending->len - 1);

      if (element == part)
        return TRUE;
      for (guint i = 0; i < element->n_children; i++)
        {
          if (!element->children[i].element->sealed)
            g_ptr_array_add (pending, element->children[i].element);
        }
    }

  return FALSE;
}

/* Makes a copy without the contents. @to replaces the namespace @from (nullable). */
static BoshElement *
copy_start (BoshElement *self,
            const char  *from,
            const char  *to)
{
  g_autofree BoshAttributeSource *attributes = g_new (BoshAttributeSource, self->n_attributes);
  gboolean is_renamed = from != NULL && g_strcmp0 (self->ns, from) == 0;
  BoshElement *copy;

  for (guint i = 0; i < self->n_attributes; i++)
    {
      attributes[i].name = self->attributes[i].name;
      attributes[i].ns = self->attributes[i].ns;
      attributes[i].value = self->attributes[i].value;
      attributes[i].value_length = strlen (self->attributes[i].value);
    }

  copy = bosh_element_new_with_attributes (self->name, is_renamed ? to : self->ns, attributes,
                                           self->n_attributes, NULL);
  copy->is_secret = self->is_secret;

  return copy;
}

static void
copy_text (BoshElement    *copy,
           const BoshText *text)
{
  if (text != NULL)
    bosh_element_append_text (copy, text->data, text->length);
}

/* Copies an element with its contents. Sealed children are shared if @from is
 * NULL, and no namespace is replaced. */
static BoshElement *
copy_tree (BoshElement *self,
           const char  *from,
           const char  *to)
{
  g_autoptr(GPtrArray) pending = g_ptr_array_new ();
  BoshElement *copy = copy_start (self, from, to);

  /* Pairs of an element whose contents have to be copied, and its copy. */
  g_ptr_array_add (pending, self);
  g_ptr_array_add (pending, copy);
  while (pending->len > 0)
    {
      BoshElement *target = g_ptr_array_steal_index_fast (pending, pending->len - 1);
      BoshElement *source = g_ptr_array_steal_index_fast (pending, pending->len - 1);

      copy_text (target, source->text);
      for (guint i = 0; i < source->n_children; i++)
        {
          BoshElement *child = source->children[i].element;

          if (from == NULL && child->sealed)
            {
              bosh_element_take_child (target, bosh_element_ref (child));
            }
          else
            {
              BoshElement *child_copy = copy_start (child, from, to);

              bosh_element_take_child (target, child_copy);
              g_ptr_array_add (pending, child);
              g_ptr_array_add (pending, child_copy);
            }
          copy_text (target, source->children[i].tail);
        }
    }

  return copy;
}

BoshElement *
bosh_element_copy_renamed (BoshElement *self,
                           const char  *from,
                           const char  *to)
{
  return copy_tree (self, from, to);
}

gboolean
bosh_element_get_nth_node (BoshElement  *self,
                           guint         position,
                           BoshElement **child,
                           const char  **text)
{
  guint nth = position / 2;

  *child = NULL;
  *text = NULL;

  if (nth > self->n_children || (nth == self->n_children && position % 2 == 1))
    return FALSE;

  if (position % 2 == 1)
    {
      *child = self->children[nth].element;
    }
  else
    {
      const BoshText *node = nth == 0 ? self->text : self->children[nth - 1].tail;

      *text = node != NULL ? node->data : "";
    }

  return TRUE;
}

gboolean
bosh_element_matches_or_inherits (BoshElement *self,
                                  const char  *name,
                                  const char  *ns)
{
  return strcmp (self->name, name) == 0 &&
         (self->ns == NULL || g_strcmp0 (self->ns, ns) == 0);
}

/**
 * bosh_element_new:
 * @name: the name, without a prefix
 * @ns: (nullable): the namespace, or `NULL` for that of the element in which
 *   it will stand, or the empty string for none at all
 *
 * Makes an element without attributes and contents.
 *
 * Returns: (transfer full): a mutable element
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_new (const char *name,
                  const char *ns)
{
  g_return_val_if_fail (name != NULL, NULL);

  return bosh_element_new_with_attributes (name, ns, NULL, 0, NULL);
}

/**
 * bosh_element_ref:
 * @self: an element
 *
 * Takes a reference to the element. This is safe from any thread.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_ref (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

static void
free_contents (BoshElement *self)
{
  for (guint i = 0; i < self->n_attributes; i++)
    {
      if (!is_in_block (self, self->attributes[i].name))
        g_free ((char *)self->attributes[i].name);
    }
  if (!is_in_block (self, self->attributes))
    g_free (self->attributes);

  text_free (self->text, self->is_secret);
  for (guint i = 0; i < self->n_children; i++)
    text_free (self->children[i].tail, self->is_secret);
  g_free (self->children);
}

/**
 * bosh_element_unref:
 * @self: (transfer full): an element
 *
 * Gives up a reference; with the last one the element is freed. This is safe
 * from any thread.
 *
 * Since: 1.0
 */
void
bosh_element_unref (BoshElement *self)
{
  BoshElement *dead;

  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  self->next_dead = NULL;
  dead = self;
  while (dead != NULL)
    {
      BoshElement *element = dead;

      dead = element->next_dead;
      for (guint i = 0; i < element->n_children; i++)
        {
          BoshElement *child = element->children[i].element;

          if (!g_atomic_ref_count_dec (&child->ref_count))
            continue;
          child->next_dead = dead;
          dead = child;
        }
      free_contents (element);
      g_free (element);
    }
}

/**
 * bosh_element_copy:
 * @self: an element
 *
 * Makes a mutable copy. Children that are sealed stay so, and are shared; the
 * others are copied too.
 *
 * Returns: (transfer full): a mutable element
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_copy (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return copy_tree (self, NULL, NULL);
}

static gboolean
attributes_equal (BoshElement *a,
                  BoshElement *b)
{
  if (a->n_attributes != b->n_attributes)
    return FALSE;

  /* Names are unique, so it is enough to look for those of @a. */
  for (guint i = 0; i < a->n_attributes; i++)
    {
      const BoshAttribute *attribute = &a->attributes[i];
      const char *value = bosh_element_get_attribute_ns (b, attribute->name, attribute->ns);

      if (g_strcmp0 (attribute->value, value) != 0)
        return FALSE;
    }

  return TRUE;
}

/* Two elements to compare, with the namespaces that they inherit. */
typedef struct
{
  BoshElement *a;
  BoshElement *b;
  const char  *a_namespace;
  const char  *b_namespace;
} ElementPair;

/* Compares the elements, without their children. */
static gboolean
pair_equal (ElementPair *pair)
{
  BoshElement *a = pair->a;
  BoshElement *b = pair->b;

  if (a->ns != NULL)
    pair->a_namespace = a->ns;
  if (b->ns != NULL)
    pair->b_namespace = b->ns;

  if (strcmp (a->name, b->name) != 0 ||
      g_strcmp0 (pair->a_namespace, pair->b_namespace) != 0 ||
      a->n_children != b->n_children ||
      !text_equal (a->text, b->text) ||
      !attributes_equal (a, b))
    return FALSE;

  for (guint i = 0; i < a->n_children; i++)
    {
      if (!text_equal (a->children[i].tail, b->children[i].tail))
        return FALSE;
    }

  return TRUE;
}

/**
 * bosh_element_equal:
 * @self: an element
 * @other: an element
 *
 * Compares two elements with all that they contain.
 *
 * They are equal if they have the same name, namespace, attributes (in any
 * order), and contents. The namespace of a child that has none set is that of
 * its parent. It does not matter whether elements are sealed.
 *
 * Returns: `TRUE` if the elements are equal
 *
 * Since: 1.0
 */
gboolean
bosh_element_equal (BoshElement *self,
                    BoshElement *other)
{
  g_autoptr(GArray) pending = NULL;
  ElementPair pair = { self, other, NULL, NULL };

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (other != NULL, FALSE);

  pending = g_array_new (FALSE, FALSE, sizeof (ElementPair));
  g_array_append_val (pending, pair);
  while (pending->len > 0)
    {
      pair = g_array_index (pending, ElementPair, pending->len - 1);
      g_array_set_size (pending, pending->len - 1);
      if (!pair_equal (&pair))
        return FALSE;

      for (guint i = 0; i < pair.a->n_children; i++)
        {
          ElementPair child_pair = {
            pair.a->children[i].element,
            pair.b->children[i].element,
            pair.a_namespace,
            pair.b_namespace,
          };

          g_array_append_val (pending, child_pair);
        }
    }

  return TRUE;
}

/**
 * bosh_element_is_sealed:
 * @self: an element
 *
 * Tells whether the element can't be changed any more.
 *
 * Returns: `TRUE` if the element was received, or was sent
 *
 * Since: 1.0
 */
gboolean
bosh_element_is_sealed (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->sealed;
}

/**
 * bosh_element_get_name:
 * @self: an element
 *
 * Gets the name of the element, without a prefix.
 *
 * Returns: the name
 *
 * Since: 1.0
 */
const char *
bosh_element_get_name (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->name;
}

/**
 * bosh_element_get_namespace:
 * @self: an element
 *
 * Gets the namespace that was set for the element. Received elements always have
 * one.
 *
 * Returns: (nullable): the namespace, the empty string for none at all, or
 *   `NULL` if it is that of the element in which it stands
 *
 * Since: 1.0
 */
const char *
bosh_element_get_namespace (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->ns;
}

static gboolean
matches (BoshElement *self,
         const char  *parent_namespace,
         const char  *name,
         const char  *ns)
{
  if (name != NULL && strcmp (self->name, name) != 0)
    return FALSE;
  if (ns == NULL)
    return TRUE;

  return g_strcmp0 (self->ns != NULL ? self->ns : parent_namespace,
                    ns) == 0;
}

/**
 * bosh_element_matches:
 * @self: an element
 * @name: (nullable): a name, or `NULL` for any
 * @ns: (nullable): a namespace, or `NULL` for any
 *
 * Tells whether the element has this name and this namespace. An element without
 * a namespace set matches no other than `NULL` here.
 *
 * Returns: `TRUE` if both match
 *
 * Since: 1.0
 */
gboolean
bosh_element_matches (BoshElement *self,
                      const char  *name,
                      const char  *ns)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return matches (self, NULL, name, ns);
}

static BoshAttribute *
find_attribute (BoshElement *self,
                const char  *name,
                const char  *ns)
{
  /* Attributes inherit no namespace, so NULL and the empty string are the same. */
  if (ns != NULL && ns[0] == '\0')
    ns = NULL;

  for (guint i = 0; i < self->n_attributes; i++)
    {
      BoshAttribute *attribute = &self->attributes[i];

      if (strcmp (attribute->name, name) == 0 &&
          g_strcmp0 (attribute->ns, ns) == 0)
        return attribute;
    }

  return NULL;
}

/**
 * bosh_element_get_attribute:
 * @self: an element
 * @name: the name of an attribute that is in no namespace
 *
 * Gets an attribute.
 *
 * Returns: (nullable): the value, or `NULL` if there is no such attribute
 *
 * Since: 1.0
 */
const char *
bosh_element_get_attribute (BoshElement *self,
                            const char  *name)
{
  return bosh_element_get_attribute_ns (self, name, NULL);
}

/**
 * bosh_element_get_attribute_ns:
 * @self: an element
 * @name: the name of an attribute, without a prefix
 * @ns: (nullable): its namespace, or `NULL` for none
 *
 * Gets an attribute with a namespace. The one of `xml:lang` is
 * `http://www.w3.org/XML/1998/namespace`.
 *
 * Returns: (nullable): the value, or `NULL` if there is no such attribute
 *
 * Since: 1.0
 */
const char *
bosh_element_get_attribute_ns (BoshElement *self,
                               const char  *name,
                               const char  *ns)
{
  BoshAttribute *attribute;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  attribute = find_attribute (self, name, ns);

  return attribute != NULL ? attribute->value : NULL;
}

/**
 * bosh_element_set_attribute:
 * @self: an element that is not sealed
 * @name: the name of an attribute that is in no namespace
 * @value: (nullable): the value, or `NULL` to remove the attribute
 *
 * Sets an attribute. The namespace of an element is no attribute: it is given
 * to [ctor@Element.new].
 *
 * Since: 1.0
 */
void
bosh_element_set_attribute (BoshElement *self,
                            const char  *name,
                            const char  *value)
{
  bosh_element_set_attribute_ns (self, name, NULL, value);
}

static void
remove_attribute (BoshElement   *self,
                  BoshAttribute *attribute)
{
  gsize behind = self->attributes + self->n_attributes - (attribute + 1);

  if (!is_in_block (self, attribute->name))
    g_free ((char *)attribute->name);
  memmove (attribute, attribute + 1, behind * sizeof (BoshAttribute));
  self->n_attributes--;
}

static BoshAttribute *
add_attribute (BoshElement *self)
{
  if (self->n_attributes == self->n_attributes_allocated)
    {
      guint allocated = MAX (4, self->n_attributes_allocated * 2);

      if (is_in_block (self, self->attributes))
        self->attributes = g_memdup2 (self->attributes,
                                      self->n_attributes * sizeof (BoshAttribute));
      self->attributes = g_renew (BoshAttribute, self->attributes, allocated);
      self->n_attributes_allocated = allocated;
    }

  return &self->attributes[self->n_attributes++];
}

/**
 * bosh_element_set_attribute_ns:
 * @self: an element that is not sealed
 * @name: the name of an attribute, without a prefix
 * @ns: (nullable): its namespace, or `NULL` for none
 * @value: (nullable): the value, or `NULL` to remove the attribute
 *
 * Sets an attribute with a namespace. An attribute that was set before keeps its
 * place, a new one comes last.
 *
 * Since: 1.0
 */
void
bosh_element_set_attribute_ns (BoshElement *self,
                               const char  *name,
                               const char  *ns,
                               const char  *value)
{
  BoshAttribute *attribute;
  gsize name_size;
  gsize value_size;
  gsize namespace_size;
  gboolean has_namespace;
  char *block;
  char *old_block = NULL;

  g_return_if_fail (self != NULL);
  g_return_if_fail (name != NULL);
  g_return_if_fail (!self->sealed);

  attribute = find_attribute (self, name, ns);
  if (value == NULL)
    {
      if (attribute != NULL)
        remove_attribute (self, attribute);
      return;
    }

  name_size = strlen (name) + 1;
  value_size = strlen (value) + 1;
  has_namespace = ns != NULL && ns[0] != '\0';
  namespace_size = has_namespace ? strlen (ns) + 1 : 0;
  block = g_malloc (name_size + value_size + namespace_size);
  memcpy (block, name, name_size);
  memcpy (block + name_size, value, value_size);
  if (has_namespace)
    memcpy (block + name_size + value_size, ns, namespace_size);

  if (attribute == NULL)
    attribute = add_attribute (self);
  else if (!is_in_block (self, attribute->name))
    old_block = (char *)attribute->name;

  attribute->name = block;
  attribute->value = block + name_size;
  attribute->ns = has_namespace ? block + name_size + value_size : NULL;

  /* This comes last, as the arguments may point into it. */
  g_free (old_block);
}

/**
 * bosh_element_get_n_attributes:
 * @self: an element
 *
 * Counts the attributes.
 *
 * Returns: how many attributes the element has
 *
 * Since: 1.0
 */
guint
bosh_element_get_n_attributes (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_attributes;
}

/**
 * bosh_element_get_nth_attribute:
 * @self: an element
 * @position: which attribute, from 0
 * @ns: (out) (optional) (nullable) (transfer none): where to put the
 *   namespace; `NULL` where the attribute is in none
 * @value: (out) (optional) (nullable) (transfer none): where to put the value
 *
 * Gets the attribute at a position.
 *
 * Returns: (nullable): the name without a prefix, or `NULL` (and @ns and
 *   @value too) if there are not so many attributes
 *
 * Since: 1.0
 */
const char *
bosh_element_get_nth_attribute (BoshElement  *self,
                                guint         position,
                                const char  **ns,
                                const char  **value)
{
  BoshAttribute none = { NULL, NULL, NULL };
  BoshAttribute *attribute = &none;

  g_return_val_if_fail (self != NULL, NULL);

  if (position < self->n_attributes)
    attribute = &self->attributes[position];
  if (ns != NULL)
    *ns = attribute->ns;
  if (value != NULL)
    *value = attribute->value;

  return attribute->name;
}

/**
 * bosh_element_dup_text:
 * @self: an element
 *
 * Gets the text of the element: all that stands in it before, between and behind
 * its children, but not the text of the children.
 *
 * Returns: (transfer full): the text, empty if there is none
 *
 * Since: 1.0
 */
char *
bosh_element_dup_text (BoshElement *self)
{
  gsize length = 0;
  char *text;
  char *cursor;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->text != NULL)
    length += self->text->length;
  for (guint i = 0; i < self->n_children; i++)
    {
      if (self->children[i].tail != NULL)
        length += self->children[i].tail->length;
    }

  cursor = text = g_malloc (length + 1);
  if (self->text != NULL)
    cursor = g_stpcpy (cursor, self->text->data);
  for (guint i = 0; i < self->n_children; i++)
    {
      if (self->children[i].tail != NULL)
        cursor = g_stpcpy (cursor, self->children[i].tail->data);
    }
  *cursor = '\0';

  return text;
}

/**
 * bosh_element_set_text:
 * @self: an element that is not sealed
 * @text: (nullable): the text, or `NULL` for none
 *
 * Replaces the text of the element. Children stay; the text stands before them.
 *
 * Since: 1.0
 */
void
bosh_element_set_text (BoshElement *self,
                       const char  *text)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (!self->sealed);

  text_free (g_steal_pointer (&self->text), self->is_secret);
  for (guint i = 0; i < self->n_children; i++)
    text_free (g_steal_pointer (&self->children[i].tail), self->is_secret);

  if (text != NULL && text[0] != '\0')
    self->text = text_append (NULL, text, strlen (text));
}

/**
 * bosh_element_add_text:
 * @self: an element that is not sealed
 * @text: the text
 *
 * Adds text behind all that the element contains so far.
 *
 * Since: 1.0
 */
void
bosh_element_add_text (BoshElement *self,
                       const char  *text)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (text != NULL);
  g_return_if_fail (!self->sealed);

  bosh_element_append_text (self, text, strlen (text));
}

/**
 * bosh_element_add_child:
 * @self: an element that is not sealed
 * @child: the element to add
 *
 * Adds an element behind all that @self contains so far.
 *
 * @child is not copied. As long as it is mutable, a change of it shows in each
 * element that it was added to, and it is sealed with the first of them. An element
 * can't be added to itself, or to an element that it contains.
 *
 * Since: 1.0
 */
void
bosh_element_add_child (BoshElement *self,
                        BoshElement *child)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (child != NULL);
  g_return_if_fail (!self->sealed);
  g_return_if_fail (!contains (child, self));

  bosh_element_take_child (self, bosh_element_ref (child));
}

/**
 * bosh_element_add_new_child:
 * @self: an element that is not sealed
 * @name: the name of the child, without a prefix
 * @ns: (nullable): its namespace, or `NULL` for that of @self, or the
 *   empty string for none at all
 *
 * Makes an element and adds it behind all that @self contains so far.
 *
 * Returns: (transfer none): the child, which belongs to @self
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_add_new_child (BoshElement *self,
                            const char  *name,
                            const char  *ns)
{
  BoshElement *child;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (!self->sealed, NULL);

  child = bosh_element_new (name, ns);
  bosh_element_take_child (self, child);

  return child;
}

/**
 * bosh_element_get_child:
 * @self: an element
 * @name: (nullable): the name to look for, or `NULL` for any
 * @ns: (nullable): the namespace to look for, or `NULL` for any
 *
 * Finds the first child with a name and a namespace. A child that has no
 * namespace set has that of @self here.
 *
 * Returns: (transfer none) (nullable): the child, or `NULL` if there is none
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_get_child (BoshElement *self,
                        const char  *name,
                        const char  *ns)
{
  g_return_val_if_fail (self != NULL, NULL);

  for (guint i = 0; i < self->n_children; i++)
    {
      if (matches (self->children[i].element, self->ns, name, ns))
        return self->children[i].element;
    }

  return NULL;
}

/**
 * bosh_element_dup_child_text:
 * @self: an element
 * @name: (nullable): the name to look for, or `NULL` for any
 * @ns: (nullable): the namespace to look for, or `NULL` for any
 *
 * Gets the text of the child that [method@Element.get_child] finds.
 *
 * Returns: (transfer full) (nullable): the text, empty if the child has none, or
 *   `NULL` if there is no such child
 *
 * Since: 1.0
 */
char *
bosh_element_dup_child_text (BoshElement *self,
                             const char  *name,
                             const char  *ns)
{
  BoshElement *child = bosh_element_get_child (self, name, ns);

  return child != NULL ? bosh_element_dup_text (child) : NULL;
}

/**
 * bosh_element_get_n_children:
 * @self: an element
 *
 * Counts the children.
 *
 * Returns: how many elements stand directly in this one
 *
 * Since: 1.0
 */
guint
bosh_element_get_n_children (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_children;
}

/**
 * bosh_element_get_nth_child:
 * @self: an element
 * @position: which child, from 0
 *
 * Gets the child at a position. This takes the same time for each.
 *
 * Returns: (transfer none) (nullable): the child, or `NULL` if there are not so
 *   many
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_get_nth_child (BoshElement *self,
                            guint        position)
{
  g_return_val_if_fail (self != NULL, NULL);

  return position < self->n_children ? self->children[position].element : NULL;
}

/**
 * bosh_element_dup_children:
 * @self: an element
 *
 * Gets all children, in order.
 *
 * Returns: (transfer container) (element-type BoshElement): a new array, which
 *   holds a reference to each child
 *
 * Since: 1.0
 */
GPtrArray *
bosh_element_dup_children (BoshElement *self)
{
  GPtrArray *children;

  g_return_val_if_fail (self != NULL, NULL);

  children = g_ptr_array_new_full (self->n_children, (GDestroyNotify)bosh_element_unref);
  for (guint i = 0; i < self->n_children; i++)
    g_ptr_array_add (children, bosh_element_ref (self->children[i].element));

  return children;
}
